//! Processes whose memory is measured.
//!
//! A child is this program again, with what it is to hold on its command line. It says `ready`, the
//! microseconds of processor time that it has used, and what its parent needs to know; and goes on until its
//! standard input ends.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
};

use benches::{DOMAIN, Failure, Member, Memory, Policy, Scene, Served, processor_time};
use fake_dc::Domain;
use ground::Seed;
use tokio::runtime::Builder;

/// The first argument of a child.
pub(crate) const FLAG: &str = "--child";

/// What a child holds.
pub(crate) fn serve(arguments: &[String]) -> Result<(), Failure> {
    let [what, number] = arguments else { return Err("a child holds one thing".into()) };
    let number: usize = number.parse()?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    match what.as_str() {
        // As `fake-dc serve` has it: the machine's clock and a ledger of a limited length.
        "domain" => {
            let domain = Domain::builder(DOMAIN).dcs(number).seed(Seed::new(1));
            let domain = runtime.block_on(domain.start())?;
            let dc = domain.dcs().next().ok_or("the domain has no DC")?;
            wait(&dc.ldaps().to_string())?;
        }
        "scene" => {
            let scene = Scene::new(Policy::XapiRsa2048)?;
            let served = runtime.block_on(Served::start(&scene))?;
            let dc = served.domain.dcs().next().ok_or("the domain has no DC")?;
            wait(&dc.ldaps().to_string())?;
        }
        "hosts" => {
            let scene = Scene::new(Policy::XapiRsa2048)?;
            let member = runtime.block_on(async {
                Member::join(&Served::start(&scene).await?, 1..=number).await
            })?;
            wait(member.pool.hosts().len().to_string().as_str())?;
        }
        other => return Err(format!("a child does not hold `{other}`").into()),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn wait(said: &str) -> Result<(), Failure> {
    println!("ready {} {said}", processor_time().as_micros());
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A child that is ready.
#[derive(Debug)]
pub(crate) struct Held {
    child: Child,
    /// Milliseconds of processor time until it was ready.
    pub(crate) processor_ms: f64,
    /// What it said.
    pub(crate) said: String,
    _out: BufReader<ChildStdout>,
}

impl Held {
    /// Starts one that holds so many of these.
    pub(crate) fn start(what: &str, number: usize) -> Result<Self, Failure> {
        let mut child = Command::new(env::current_exe()?)
            .args([FLAG, what, &number.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut out = BufReader::new(child.stdout.take().ok_or("a child without output")?);
        let mut line = String::new();
        out.read_line(&mut line)?;
        let ready = line.trim().strip_prefix("ready ").and_then(|rest| rest.split_once(' '));
        let (micros, said) = ready.ok_or("the child broke")?;
        let (processor_ms, said) = (micros.parse::<f64>()? / 1e3, said.to_owned());
        Ok(Self { child, processor_ms, said, _out: out })
    }

    /// What it holds now.
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        Memory::of(self.child.id())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends since its input does.
        let _ = self.child.wait();
    }
}
