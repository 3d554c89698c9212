/// One call on a file system or file, as the fault injector and the tracer see it.
public enum FileOperation: String, Sendable, CaseIterable {
    case open, create, read, write, sync, size, truncate, allocate, close
    case exists, list, makeDirectory, remove, removeDirectory, rename, link, stat, syncDirectory
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
