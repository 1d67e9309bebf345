//! The native half of the `stagewright` Python package: conversions only.

mod analysis;
mod context;
mod diff;
mod dockerfile;
mod error;
mod history;
mod image;
mod new;
mod online;
mod project;
mod snapshot;
mod value;
mod view;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::analysis::{Analysis, Plan, Prediction, analyze_many, compare};
    #[pymodule_export]
    use crate::context::{BuildFiles, Context};
    #[pymodule_export]
    use crate::diff::{Diff, Part, StageDiff, StageSide, StepDiff, StepSide};
    #[pymodule_export]
    use crate::dockerfile::Dockerfile;
    #[pymodule_export]
    use crate::error::StagewrightError;
    #[pymodule_export]
    use crate::history::{Forecast, History, Trace};
    #[pymodule_export]
    use crate::image::{Comparison, Image, measure};
    #[pymodule_export]
    use crate::online::Online;
    #[pymodule_export]
    use crate::project::{Generated, generate};
    #[pymodule_export]
    use crate::snapshot::Snapshot;
    #[pymodule_export]
    use crate::value::{
        Base, Basis, Commit, Compared, ComparedLayer, Content, Difference, Directive, Disagreement,
        Duplicate, Finding, Flag, Heredoc, ImageFile, ImageLayer, Instruction, KindBytes, Layer,
        Measure, PathForecast, Pull, PulledLayer, Rung, Size, Span, Step, StepForecast,
        SyntaxError, TraceCheck, Waste,
    };

    #[pymodule_export]
    use crate::view::{Command, ImageReference, InstructionView, Mount, Pair, Text, Word};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
