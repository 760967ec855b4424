//! Values on the command line that are more than text.

pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::manifest::duration::parse(text)
}

pub(super) fn manager(text: &str) -> Result<String, String> {
    let plain = |c: char| !c.is_control();
    if !text.is_empty() && text.len() <= 128 && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a field manager has 1 to 128 printable characters".into())
    }
}

pub(super) fn kind_and_name(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').collect();
    if parts.len() == 2 && parts.iter().all(|part| !part.is_empty()) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` names no object (write KIND/NAME, such as PersistentVolumeClaim/redis-data)"
        ))
    }
}
