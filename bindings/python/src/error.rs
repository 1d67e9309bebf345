//! Errors of the library as exceptions.

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use stagewright::report::{Coded, ErrorReport};

create_exception!(
    stagewright,
    StagewrightError,
    PyException,
    "A wrong call: an unknown stage, a word that stands for nothing, a folder that cannot be read.\n\n`code` is its stable name, in kebab-case."
);

/// An error of the library on its way to Python.
pub(crate) struct Failure(ErrorReport);

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(ErrorReport::new(&error))
    }
}

impl From<Failure> for PyErr {
    fn from(Failure(report): Failure) -> Self {
        Python::attach(|py| {
            let error = StagewrightError::new_err(report.error.message);
            match error.value(py).setattr("code", report.error.code) {
                Ok(()) => error,
                Err(other) => other,
            }
        })
    }
}
