//! Expansion ends, in a value or an error, and agrees with itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagewright_syntax::expand::Expander;
use stagewright_syntax::image::ImageRef;

fuzz_target!(|text: &str| {
    let env = [("A", "a.b/c*d"), ("B", ""), ("x", "one two\nthree")];
    for expander in [Expander::new('\\'), Expander::new('`'), Expander::heredoc()] {
        let word = expander.word(text, env.as_slice());
        let words = expander.words(text, env.as_slice());
        assert_eq!(word.is_ok(), words.is_ok());
    }
    if let Ok(image) = ImageRef::parse(text) {
        assert_eq!(
            ImageRef::parse(&image.familiar()).map(|image| image.to_string()),
            Ok(image.to_string())
        );
    }
});
