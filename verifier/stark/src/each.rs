//! The same check of many things, side by side where there are threads.

/// Checks each; the error is that of the first in order that has one, as if they were checked one after the other.
#[cfg(target_arch = "wasm32")]
pub(crate) fn in_order<T, E>(items: &[T], check: impl Fn(&T) -> Result<(), E>) -> Result<(), E> {
    items.iter().try_for_each(check)
}

/// Checks each; the error, or the panic, is that of the first in order that has one, as if they were checked one after the
/// other.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn in_order<T: Sync, E: Send>(
    items: &[T],
    check: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use rayon::prelude::*;

    // What panics is not the last word while one before it is still being checked. Unwind safe: a check changes nothing.
    let ends = items.par_iter().map(|item| catch_unwind(AssertUnwindSafe(|| check(item))));
    let first = ends.find_first(|end| !matches!(end, Ok(Ok(()))));
    first.map_or(Ok(()), |end| end.unwrap_or_else(|panic| resume_unwind(panic)))
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::atomic::{AtomicUsize, Ordering},
        thread::sleep,
        time::Duration,
    };

    use super::in_order;

    const MOMENT: Duration = Duration::from_millis(50);

    /// What `checks` says where four are looked at at once, on however small a machine.
    fn by_four<T: Send>(checks: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(4).build().expect("threads").install(checks)
    }

    /// The earlier one takes longer, so that the later one is found out first where both are looked at.
    fn check(item: &&'static str) -> Result<(), &'static str> {
        match *item {
            "good" => Ok(()),
            "panics" => panic!("a panic"),
            "panics late" => {
                sleep(MOMENT);
                panic!("a late panic")
            }
            "wrong late" => {
                sleep(MOMENT);
                Err("wrong late")
            }
            wrong => Err(wrong),
        }
    }

    #[test]
    fn the_first_in_order_is_told_whichever_is_found_first() {
        let said = |items: &'static [&'static str]| by_four(|| in_order(items, check));
        assert_eq!(said(&["good"; 9]), Ok(()));
        assert_eq!(said(&["good", "wrong late", "wrong", "good"]), Err("wrong late"));
        assert_eq!(said(&["wrong late", "panics"]), Err("wrong late"));
        assert_eq!(said(&["good", "wrong", "panics late"]), Err("wrong"));
        let panicked = catch_unwind(AssertUnwindSafe(|| said(&["panics late", "wrong"])));
        assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"a late panic"));
        assert_eq!(said(&[]), Ok(()));
    }

    #[test]
    fn they_are_checked_side_by_side() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let checked = by_four(|| {
            in_order(&[(); 2], |()| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Until the other one is there too; not for ever where it does not come.
                for _ in 0..200 {
                    if most.load(Ordering::SeqCst) == 2 {
                        break;
                    }
                    sleep(MOMENT / 10);
                }
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, ()>(())
            })
        });
        assert_eq!((checked, most.into_inner()), (Ok(()), 2));
    }
}
