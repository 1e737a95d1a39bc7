//! One value for each site, found without a search: by the site's place in the section of the
//! linker, and for a site that was made at run time by its address.

use std::{collections::HashMap, sync::OnceLock};

use super::{fork_mutex::ForkMutex, registry, site::Site};

/// How many places are allocated together.
const BLOCK: usize = 64;

type Block<T> = Box<[OnceLock<T>]>;

/// One value for each site.
pub(crate) struct SiteMap<T> {
    /// Of the sites in the section. A block is allocated when one of its values is made: an observer
    /// of a test sees few of them.
    linked: Box<[OnceLock<Block<T>>]>,
    /// Of the other sites, by address.
    others: ForkMutex<HashMap<usize, T>>,
}

impl<T> Default for SiteMap<T> {
    fn default() -> SiteMap<T> {
        let blocks = registry::places().div_ceil(BLOCK);
        SiteMap {
            linked: (0..blocks).map(|_| OnceLock::new()).collect(),
            others: ForkMutex::default(),
        }
    }
}

impl<T: Clone> SiteMap<T> {
    /// Returns the value of `site`, made by `make` when it is new.
    pub(crate) fn get_or_make(&self, site: &'static Site, make: impl FnOnce() -> T) -> T {
        match self.linked(site) {
            Some(value) => value.get_or_init(make).clone(),
            None => match self.others.lock() {
                Some(mut others) => {
                    let address = std::ptr::from_ref(site).addr();
                    others.entry(address).or_insert_with(make).clone()
                }
                // In a fork: one for this time.
                None => make(),
            },
        }
    }

    fn linked(&self, site: &'static Site) -> Option<&OnceLock<T>> {
        let place = registry::place(site)?;
        let block = self.linked.get(place / BLOCK)?;
        let block = block.get_or_init(|| (0..BLOCK).map(|_| OnceLock::new()).collect());
        block.get(place % BLOCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static OUTSIDE: Site = Site::new("e", "f", "m", "f.rs", 1, || "m::f");

    #[test]
    fn each_site_has_a_value_that_is_made_once() {
        let map = SiteMap::default();
        let made = Box::leak(Box::new(Site::new("e", "g", "m", "f.rs", 2, || "m::g")));
        let sites: Vec<&'static Site> = registry::all().chain([&OUTSIDE, &*made]).collect();
        for (number, site) in sites.iter().enumerate() {
            assert_eq!(map.get_or_make(site, || number), number);
        }
        for (number, site) in sites.iter().enumerate() {
            assert_eq!(map.get_or_make(site, || usize::MAX), number);
        }
    }
}
