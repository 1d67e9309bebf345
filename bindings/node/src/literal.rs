//! Instructions as JavaScript objects.
//!
//! They are made by a function in JavaScript: the engine makes the object of a literal in one step, while each property that is set from
//! outside is another look at name and shape, which took half the time of reading a file.

use napi::Env;
use napi::bindgen_prelude::{Either, FnArgs, Function, FunctionRef, Object, Undefined};
use stagewright::report::parse::ParsedInstruction;

use crate::value::{Flag, Heredoc, all};

/// Makes an `Instruction`, as `new.d.ts` has it, of its parts; flags and heredocs are undefined where there are none.
const LITERAL: &str = "(keyword, line, endLine, start, end, text, flags = [], heredocs = []) => \
    ({ keyword, line, endLine, span: { start, end }, flags, text, heredocs })";

type Parts = FnArgs<(
    String,
    u32,
    u32,
    u32,
    u32,
    String,
    Either<Vec<Flag>, Undefined>,
    Either<Vec<Heredoc>, Undefined>,
)>;

/// The function, kept for as long as the environment (the main thread, or a worker) lives.
struct Literal(FunctionRef<Parts, Object<'static>>);

/// The instructions of a file, in order.
pub(crate) fn instructions(
    env: Env,
    instructions: Vec<ParsedInstruction>,
) -> napi::Result<Vec<Object<'static>>> {
    if env.get_instance_data::<Literal>()?.is_none() {
        let literal: Function<'_, Parts, Object<'static>> = env.run_script(LITERAL)?;
        env.set_instance_data(Literal(literal.create_ref()?), (), |_| {})?;
    }
    let literal = env
        .get_instance_data::<Literal>()?
        .expect("it was set above");
    let literal = literal.0.borrow_back(&env)?;
    let make = |instruction: ParsedInstruction| {
        literal.call(FnArgs {
            data: (
                instruction.keyword,
                instruction.line,
                instruction.end_line,
                instruction.span.start,
                instruction.span.end,
                instruction.text,
                some(instruction.flags),
                some(instruction.heredocs),
            ),
        })
    };
    instructions.into_iter().map(make).collect()
}

fn some<T, U: From<T>>(items: Vec<T>) -> Either<Vec<U>, Undefined> {
    if items.is_empty() {
        Either::B(())
    } else {
        Either::A(all(items))
    }
}
