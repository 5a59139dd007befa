//! How long a file beside a log that cannot be read is waited for, before things go on without it.
//!
//! An error that passes must not make a file count as gone: what it holds would be skipped, or be told as missing. One
//! that stays must not hold up the log: the rotated file of which we lost the rights, or the one on a bad sector. So an
//! error is an error for five seconds, and after that the file is left out.
//!
//! Does not know what the files are for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::tail::beneath::OpenError;

/// How long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// So many unreadable files are remembered: more than are looked at beside one log.
const MOST: usize = 256;

/// Since when which files cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    since: RefCell<BTreeMap<PathBuf, Instant>>,
}

impl Patience {
    /// What came of asking the file at `rel`; none if there is no such file, or if it has been unreadable for too long.
    ///
    /// An error: nobody can tell for now, and nothing may follow from it.
    pub(crate) fn bear<T>(
        &self,
        rel: &Path,
        asked: Result<T, OpenError>,
        now: Instant,
    ) -> Result<Option<T>, OpenError> {
        let mut since = self.since.borrow_mut();
        let found = match asked {
            // That is no failure, and comes to an end.
            Err(why @ (OpenError::Packed | OpenError::Crowded)) => return Err(why),
            Ok(found) => Some(found),
            Err(error) if error.tells_nothing() => {
                if since.len() == MOST {
                    since.clear();
                }
                let begun = *since.entry(rel.to_owned()).or_insert(now);
                let is_over = begun + PATIENCE <= now && !is_shortage(&error);
                return if is_over { Ok(None) } else { Err(error) };
            }
            Err(_) => None,
        };
        since.remove(rel);
        Ok(found)
    }
}

/// It is not the file that fails, but we.
fn is_shortage(error: &OpenError) -> bool {
    let OpenError::Io(error) = error else { return false };
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_for_a_while_and_then_the_file_is_left_out() {
        let (patience, mut now) = (Patience::default(), Instant::now());
        let rel = Path::new("app.log.1");
        let broken = || Err::<(), _>(OpenError::from(Errno::IO));
        assert!(patience.bear(rel, broken(), now).is_err());
        now += PATIENCE / 2;
        assert!(patience.bear(rel, broken(), now).is_err());
        assert!(matches!(patience.bear(rel, Ok(()), now), Ok(Some(()))));
        now += PATIENCE / 2;
        assert!(patience.bear(rel, broken(), now).is_err(), "it was well in between");
        now += PATIENCE;
        assert!(matches!(patience.bear(rel, broken(), now), Ok(None)));
        assert!(patience.bear(Path::new("app.log.2"), broken(), now).is_err(), "that is another file");
    }

    #[test]
    fn a_file_that_is_not_there_is_not_waited_for_and_descriptors_are_waited_for_without_end() {
        let (patience, now) = (Patience::default(), Instant::now());
        let rel = Path::new("app.log.1");
        assert!(matches!(patience.bear::<()>(rel, Err(OpenError::Missing), now), Ok(None)));
        for seconds in 0..100 {
            let none_free = Err::<(), _>(OpenError::from(Errno::MFILE));
            assert!(patience.bear(rel, none_free, now + Duration::from_secs(seconds)).is_err());
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (patience, now) = (Patience::default(), Instant::now());
        for number in 0..10 * MOST {
            let rel = PathBuf::from(format!("app.log.{number}"));
            assert!(patience.bear::<()>(&rel, Err(OpenError::Denied), now).is_err());
        }
        assert!(patience.since.borrow().len() <= MOST);
    }
}
