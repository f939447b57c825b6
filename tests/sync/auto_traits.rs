//! Each type is `Send`, `Sync`, `UnwindSafe`, `RefUnwindSafe`, `Unpin` and `Clone` exactly when
//! std's is.

use std::cell::{Cell, UnsafeCell};
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync as of_std;

use betterthreads::sync as ours;

/// Says no, where [`Asks`] has nothing better of its own to say.
trait No {
    const SEND: bool = false;
    const SYNC: bool = false;
    const UNWIND_SAFE: bool = false;
    const REF_UNWIND_SAFE: bool = false;
    const UNPIN: bool = false;
    const CLONE: bool = false;
}

struct Asks<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> No for Asks<T> {}

// An inherent constant is preferred to that of a trait.
impl<T: ?Sized + Send> Asks<T> {
    const SEND: bool = true;
}
impl<T: ?Sized + Sync> Asks<T> {
    const SYNC: bool = true;
}
impl<T: ?Sized + UnwindSafe> Asks<T> {
    const UNWIND_SAFE: bool = true;
}
impl<T: ?Sized + RefUnwindSafe> Asks<T> {
    const REF_UNWIND_SAFE: bool = true;
}
impl<T: ?Sized + Unpin> Asks<T> {
    const UNPIN: bool = true;
}
impl<T: Clone> Asks<T> {
    const CLONE: bool = true;
}

/// Neither is a value of any of these types ever made.
type Both = u8;
type SendOnly = Cell<u8>;
type SyncOnly = of_std::MutexGuard<'static, u8>;
type Neither = Rc<u8>;
type UnsafeToUnwind = &'static mut u8;
type UnsafeToLookAt = UnsafeCell<u8>;
type Pinned = PhantomPinned;

/// What a type is, decided at compile time.
const NAMES: [&str; 6] = ["Send", "Sync", "UnwindSafe", "RefUnwindSafe", "Unpin", "Clone"];

macro_rules! traits {
    ($type:ty) => {
        const {
            [
                Asks::<$type>::SEND,
                Asks::<$type>::SYNC,
                Asks::<$type>::UNWIND_SAFE,
                Asks::<$type>::REF_UNWIND_SAFE,
                Asks::<$type>::UNPIN,
                Asks::<$type>::CLONE,
            ]
        }
    };
}

/// Notes every trait that only one of two types has.
fn compare(differences: &mut Vec<String>, name: &str, of_std: [bool; 6], ours: [bool; 6]) {
    for (n, one_trait) in NAMES.iter().enumerate() {
        if of_std[n] != ours[n] {
            differences.push(format!("{name} is {one_trait}: {} in std", of_std[n]));
        }
    }
}

macro_rules! same {
    ($differences:ident, $std:ty, $ours:ty) => {
        compare(&mut $differences, stringify!($ours), traits!($std), traits!($ours))
    };
}

/// Compares a generic type with every kind of value. Its lifetime comes with it.
macro_rules! same_with {
    ($differences:ident, $($name:ident $(<$lifetime:lifetime>)?),*) => {$(
        same_with!($differences, $name [$($lifetime,)?]: Both SendOnly SyncOnly Neither);
        same_with!($differences, $name [$($lifetime,)?]: UnsafeToUnwind UnsafeToLookAt Pinned);
    )*};
    ($differences:ident, $name:ident $lifetime:tt: $($value:ident)*) => {$(
        same_with!(@ $differences, $name $lifetime $value);
    )*};
    (@ $differences:ident, $name:ident [$($lifetime:tt)*] $value:ident) => {
        same!($differences, of_std::$name<$($lifetime)* $value>, ours::$name<$($lifetime)* $value>)
    };
}

#[test]
fn locks_and_lazy_values() {
    let mut differences = Vec::new();
    same_with!(differences, Mutex, MutexGuard<'static>, RwLock, OnceLock, LazyLock);
    same_with!(differences, RwLockReadGuard<'static>, RwLockWriteGuard<'static>);
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn channels() {
    use betterthreads::sync::mpsc as ours;
    use std::sync::mpsc as of_std;
    let mut differences = Vec::new();
    same_with!(differences, Sender, SyncSender, Receiver);
    same_with!(differences, Iter<'static>, TryIter<'static>, IntoIter);
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn types_without_a_value() {
    let mut differences = Vec::new();
    same!(differences, of_std::Barrier, ours::Barrier);
    same!(differences, of_std::BarrierWaitResult, ours::BarrierWaitResult);
    same!(differences, of_std::Condvar, ours::Condvar);
    same!(differences, of_std::Once, ours::Once);
    same!(differences, of_std::OnceState, ours::OnceState);
    same!(differences, of_std::WaitTimeoutResult, ours::WaitTimeoutResult);
    assert!(differences.is_empty(), "{differences:#?}");
}

/// A lazy value's initializer matters too.
type Makes<T, C> = of_std::LazyLock<T, (PhantomData<C>, fn() -> T)>;
type WeMake<T, C> = ours::LazyLock<T, (PhantomData<C>, fn() -> T)>;

#[test]
fn a_lazy_values_initializer_counts() {
    let mut differences = Vec::new();
    same!(differences, Makes<u8, SendOnly>, WeMake<u8, SendOnly>);
    same!(differences, Makes<u8, SyncOnly>, WeMake<u8, SyncOnly>);
    same!(differences, Makes<u8, Neither>, WeMake<u8, Neither>);
    same!(differences, Makes<u8, UnsafeToUnwind>, WeMake<u8, UnsafeToUnwind>);
    same!(differences, Makes<u8, Pinned>, WeMake<u8, Pinned>);
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn the_question_can_be_answered_either_way() {
    let yeses = [Asks::<Both>::SEND, Asks::<SyncOnly>::SYNC, Asks::<SendOnly>::SEND];
    assert_eq!(yeses, [true; 3]);
    let noes = [
        Asks::<SyncOnly>::SEND,
        Asks::<SendOnly>::SYNC,
        Asks::<UnsafeToUnwind>::UNWIND_SAFE,
        Asks::<UnsafeToLookAt>::REF_UNWIND_SAFE,
        Asks::<Pinned>::UNPIN,
        Asks::<SyncOnly>::CLONE,
    ];
    assert_eq!(noes, [false; 6]);
}
