//! Samba's own `testparm`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    process::Command,
};

/// Where testparm prints another word of the same meaning: key, our word, its word.
const SYNONYMS: [(&str, &str, &str); 1] = [("client use kerberos", "required", "yes")];

/// Asserts that `testparm` knows every parameter of the texts and takes every value as written.
pub(crate) fn understands(texts: &BTreeSet<String>) {
    if Command::new("testparm").arg("--version").output().is_err() {
        let required = env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        assert!(!required, "testparm is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
        println!("SKIPPED: testparm is missing (Debian: apt-get install samba-common-bin)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (number, text) in texts.iter().enumerate() {
        let path = folder.path().join(format!("smb-{number}.conf"));
        fs::write(&path, text).unwrap();
        let output =
            Command::new("testparm").args(["--suppress-prompt", "-v"]).arg(&path).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}\n{text}");
        for complaint in ["Unknown parameter", "Ignoring", "invalid", "not valid", "ERROR"] {
            assert!(!stderr.contains(complaint), "{stderr}\n{text}");
        }
        let stdout = String::from_utf8_lossy(&output.stdout);
        let effective: BTreeMap<String, String> = stdout.lines().filter_map(pair).collect();
        for (key, wanted) in text.lines().filter_map(pair) {
            // The file that is included need not exist; the log level is that of testparm itself.
            if ["include", "log level"].contains(&key.as_str()) {
                continue;
            }
            let found = effective.get(&key).map(String::as_str).unwrap_or_default();
            let same = found == wanted || SYNONYMS.contains(&(key.as_str(), &wanted, found));
            assert!(same, "{key} is `{wanted}` in the file and `{found}` to testparm\n{text}");
        }
    }
    println!("testparm: {} files", texts.len());
}

/// Key and value in the spelling that both sides share.
fn pair(line: &str) -> Option<(String, String)> {
    let (key, value) = line.trim().split_once(" = ")?;
    let value = value.trim_matches('"').to_lowercase();
    Some((key.replace(" : ", ":").to_lowercase(), value))
}
