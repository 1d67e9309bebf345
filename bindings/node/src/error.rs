//! Errors of the library as JavaScript errors with a `code`.

use stagewright::report::{Coded, ErrorReport};

/// What a call that can be wrong returns.
pub(crate) type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// `code` and message of an error of the library.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the form that `map_err` takes"
)]
pub(crate) fn failure(error: impl Coded) -> napi::Error<&'static str> {
    let ErrorReport { error, .. } = ErrorReport::new(&error);
    napi::Error::new(error.code, error.message)
}
