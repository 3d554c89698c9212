/// One call on a file system or file, as the fault injector and the tracer see it.
public enum FileOperation: String, Sendable, CaseIterable {
    /// Calls on one file; `open` and `create` make it.
    case open, create, read, write, sync, size, truncate, allocate, close
    /// Calls on names; `stat` is sizes, kinds and link counts.
    case exists, list, makeDirectory, remove, removeDirectory, rename, link, stat, syncDirectory
    /// Calls on the whole.
    case lock, freeSpace

    /// True when the call changes what is on disk, or forces it there.
    public var isMutating: Bool {
        switch self {
        case .create, .write, .sync, .truncate, .allocate, .makeDirectory, .remove,
            .removeDirectory, .rename, .link, .syncDirectory:
            true
        default: false
        }
    }
}
