//! Links for downloads, and the two intervals that decide how long one lives.
//!
//! A link is made once for each file and given out again until the clean-up deletes it. It keeps the
//! domain that was in use when it was made. The clean-up runs every `extract.url.cleanup.interval`
//! from the start of the management server, and deletes what is then older than
//! `extract.url.expiration.interval`; both are read at that start.

use ground::Timestamp;

/// The two intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// `extract.url.expiration.interval`.
    pub expiration_seconds: u32,
    /// `extract.url.cleanup.interval`.
    pub cleanup_seconds: u32,
}

/// CloudStack's.
impl Default for Intervals {
    fn default() -> Self {
        Self { expiration_seconds: 14_400, cleanup_seconds: 7_200 }
    }
}

/// A link for a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `https://127-1-0-10.corp.example/userdata/….qcow2`.
    pub url: String,
    /// The appliance that serves it.
    pub appliance: String,
    /// The template behind it.
    pub template: String,
    /// When it was made.
    pub made: Timestamp,
}

impl Link {
    /// The name in the link.
    pub fn host_name(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split_once('/').map_or(rest, |(name, _)| name)
    }

    /// The domain in the link: its name without the address before it.
    pub fn domain(&self) -> &str {
        self.host_name().split_once('.').map_or("", |(_, domain)| domain)
    }

    /// The last part of its path.
    pub fn file_name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

/// When the clean-up runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct CleanUp {
    intervals: Intervals,
    next: Timestamp,
}

impl CleanUp {
    pub(super) fn new(intervals: Intervals, started: Timestamp) -> Self {
        let intervals =
            Intervals { cleanup_seconds: intervals.cleanup_seconds.max(1), ..intervals };
        Self { intervals, next: started.plus_seconds(intervals.cleanup_seconds.into()) }
    }

    pub(super) fn intervals(&self) -> Intervals {
        self.intervals
    }

    /// Runs as often as it was due up to `now`: takes what has expired out of `links`, with the time
    /// of the run.
    pub(super) fn run(&mut self, links: &mut Vec<Link>, now: Timestamp) -> Vec<(Timestamp, Link)> {
        let mut gone = Vec::new();
        links.retain(|link| match self.deletes(link) {
            at if at <= now => {
                gone.push((at, link.clone()));
                false
            }
            _ => true,
        });
        gone.sort_by_key(|(at, _)| *at);
        self.next = self.first_run_after(now);
        gone
    }

    /// The run that will delete a link.
    pub(super) fn deletes(&self, link: &Link) -> Timestamp {
        let expires = link.made.plus_seconds(self.intervals.expiration_seconds.into());
        self.first_run_after(expires)
    }

    fn first_run_after(&self, at: Timestamp) -> Timestamp {
        let interval = i64::from(self.intervals.cleanup_seconds);
        let behind = at.unix() - self.next.unix();
        if behind < 0 {
            return self.next;
        }
        self.next.plus_seconds((behind / interval + 1) * interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(made: i64) -> Link {
        Link {
            url: "https://127-1-0-10.corp.example/userdata/a.qcow2".to_owned(),
            appliance: "storage1".to_owned(),
            template: "debian".to_owned(),
            made: Timestamp::from_unix(made),
        }
    }

    #[test]
    fn a_link_goes_at_the_first_run_after_it_has_expired() {
        let intervals = Intervals { expiration_seconds: 100, cleanup_seconds: 60 };
        let mut clean_up = CleanUp::new(intervals, Timestamp::from_unix(0));
        let mut links = vec![link(10), link(30)];
        assert!(clean_up.run(&mut links, Timestamp::from_unix(119)).is_empty());
        let gone = clean_up.run(&mut links, Timestamp::from_unix(125));
        assert_eq!(gone, [(Timestamp::from_unix(120), link(10))]);
        // Made at 30, it has expired at 130, and the next run is at 180.
        assert_eq!(clean_up.deletes(&links[0]), Timestamp::from_unix(180));
        assert_eq!(clean_up.run(&mut links, Timestamp::from_unix(10_000)).len(), 1);
        assert!(links.is_empty());
    }

    #[test]
    fn the_parts_of_a_link() {
        let link = link(0);
        assert_eq!((link.domain(), link.file_name()), ("corp.example", "a.qcow2"));
        assert_eq!(link.host_name(), "127-1-0-10.corp.example");
    }
}
