//! Appending to an open file, and repairing its end.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use crate::disk::Disk;

/// Appends `bytes`. Returns how many were written, and the error that stopped the rest.
pub(crate) fn append_all(disk: &dyn Disk, file: &File, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match disk.append(file, rest) {
            Ok(0) => return (written, Some(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

/// Shortens the file from `from` to `to` bytes. An error when its length is not `from`: then another
/// program truncated it or appended to it.
pub(crate) fn cut_back(file: &File, from: u64, to: u64) -> io::Result<()> {
    if file.metadata()?.len() != from {
        return Err(io::Error::other("another program changed the log file"));
    }
    file.set_len(to)
}

/// Returns whether the file's last line is incomplete.
pub(crate) fn ends_torn(file: &File, len: u64) -> io::Result<bool> {
    let Some(last) = len.checked_sub(1) else {
        return Ok(false);
    };
    Ok(read_range(file, last, 1)?
        .first()
        .is_some_and(|&byte| byte != b'\n'))
}

/// Reads `len` bytes from `offset`, or as many as there are.
pub(crate) fn read_range(mut file: &File, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}
