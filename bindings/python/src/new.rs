//! New instructions and mounts: what Python writes as JSON, the library reads.

use pyo3::prelude::*;
use stagewright::NewInstruction;

use crate::error::Failure;

/// A text, or a dictionary of `stagewright.new`.
pub(crate) struct New(pub(crate) NewInstruction);

/// A dictionary of options.
pub(crate) struct NewMount(pub(crate) stagewright::NewMount);

fn json(object: Borrowed<'_, '_, PyAny>) -> PyResult<String> {
    let module = object.py().import("json")?;
    module.call_method1("dumps", (object,))?.extract()
}

impl FromPyObject<'_, '_> for New {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let new = NewInstruction::from_json(&json(object)?).map_err(Failure::from)?;
        Ok(Self(new))
    }
}

impl FromPyObject<'_, '_> for NewMount {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let new = stagewright::NewMount::from_json(&json(object)?).map_err(Failure::from)?;
        Ok(Self(new))
    }
}
