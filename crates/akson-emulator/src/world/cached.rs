//! Something derived from rows, made again when they have changed. It is no part of the world: it is
//! neither stored nor undone.

use std::cell::RefCell;
use std::sync::Arc;

/// A derived value and the revision it was derived from.
#[derive(Debug)]
pub(crate) struct Cached<T>(RefCell<Option<(u64, Arc<T>)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T> Cached<T> {
    /// The value as of a revision.
    pub(crate) fn get(&self, revision: u64, derive: impl FnOnce() -> T) -> Arc<T> {
        if let Some((of, value)) = self.0.borrow().as_ref()
            && *of == revision
        {
            return Arc::clone(value);
        }
        let value = Arc::new(derive());
        *self.0.borrow_mut() = Some((revision, Arc::clone(&value)));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_derived_once_a_revision() {
        let cached = Cached::default();
        assert_eq!(*cached.get(1, || 10), 10);
        assert_eq!(*cached.get(1, || 20), 10);
        assert_eq!(*cached.get(2, || 30), 30);
    }
}
