//! Searches that were answered in part and wait for the next page (RFC 2696).

use std::collections::VecDeque;

use crate::store::EntryId;

/// The paged searches of one session.
#[derive(Debug, Default)]
pub(crate) struct OpenPages {
    last: u32,
    open: VecDeque<(u32, PagedSearch)>,
}

/// What is left of a search.
#[derive(Debug, Default)]
pub(crate) struct PagedSearch {
    /// How many entries the whole search found.
    pub(crate) total: usize,
    pub(crate) rest: VecDeque<EntryId>,
    pub(crate) references: Vec<String>,
}

impl OpenPages {
    /// `MaxResultSetsPerConn` of Windows Server 2022: the oldest goes first.
    const OPEN_MAX: usize = 10;

    /// Takes out the search that the cookie stands for.
    pub(crate) fn take(&mut self, cookie: &[u8]) -> Option<(u32, PagedSearch)> {
        let at = self.open.iter().position(|(number, _)| cookie_of(*number) == cookie)?;
        self.open.remove(at)
    }

    pub(crate) fn next_number(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    /// Keeps a search and returns its cookie, which stays the same from page to page.
    pub(crate) fn keep(&mut self, number: u32, search: PagedSearch) -> Vec<u8> {
        if self.open.len() == Self::OPEN_MAX {
            self.open.pop_front();
        }
        self.open.push_back((number, search));
        cookie_of(number)
    }
}

/// Samba 4.22's form: a decimal number and a zero byte (capture `paged-pages`).
fn cookie_of(number: u32) -> Vec<u8> {
    let mut cookie = number.to_string().into_bytes();
    cookie.push(0);
    cookie
}
