import Glibc

extension StorageError {
    /// The error of system call `operation` on `path` that failed with `code`.
    public static func posix(
        _ code: Int32, _ operation: String, path: String, offset: UInt64? = nil
    ) -> StorageError {
        let errorCode: StorageErrorCode
        var kind = StorageErrorKind.transient
        var hint: String?
        switch code {
        case ENOSPC, EDQUOT:
            errorCode = .diskFull
            hint = "Free space on the file system; no restart is needed."
        case ENOENT:
            errorCode = .notFound
            kind = .user
        case EEXIST, ENOTEMPTY:
            errorCode = .alreadyExists
            kind = .user
        case ENOMEM: errorCode = .outOfMemory
        case EACCES, EPERM, EROFS:
            errorCode = .io
            kind = .user
            hint = "Check the owner and the permissions of the path."
        case EMFILE, ENFILE:
            errorCode = .io
            hint = "Raise the limit of open files."
        default: errorCode = .io
        }
        return StorageError(
            errorCode, kind: kind, "The system call \(operation) failed.",
            cause: String(cString: strerror(code)) + " (errno \(code))",
            location: Location(path: path, offset: offset), hint: hint, errno: code)
    }
}
