//! What the system says of a file, in the words of a message: lowercase, without its number.

use std::io;

/// The system's reason, such as `no such file or directory`.
#[must_use]
pub fn words(error: &io::Error) -> String {
    let said = match error.kind() {
        io::ErrorKind::InvalidData => return "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    };
    let said = said
        .split_once(" (os error")
        .map_or(&*said, |(said, _)| said);
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_left_out() {
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(words(&missing), "no such file or directory");
        let text = io::Error::new(io::ErrorKind::InvalidData, "stream did not …");
        assert_eq!(words(&text), "it is not UTF-8 text");
    }
}
