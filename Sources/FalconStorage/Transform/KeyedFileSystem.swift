/// A file system together with the keys to what lies in one data directory.
public final class KeyedFileSystem: WrappingFileSystem {
    /// The file system that gets the calls.
    public let base: any FileSystem
    private let fileKeys: FileKeys
    public var keyring: (any FileKeyring)? { fileKeys }

    init(_ base: any FileSystem, _ keys: FileKeys) {
        self.base = base
        fileKeys = keys
    }

    /// - Parameter ring: opens whatever it has keys for.
    public convenience init(_ base: any FileSystem, _ ring: KeyRing) {
        self.init(base, FileKeys(ring))
    }
}

extension FileSystem {
    /// What seals and opens files; nil where they are plain.
    var keys: FileKeys? { keyring as? FileKeys }

    /// Without the keys.
    var unkeyed: any FileSystem { (self as? KeyedFileSystem)?.base ?? self }
}
