import FalconStorage
import Synchronization

/// A file system whose page cache is empty while ``isCold`` says so: reads that may not wait get nothing.
public final class ColdFileSystem: WrappingFileSystem {
    public let base: any FileSystem
    private let cold = Atomic<Bool>(false)

    public init(_ base: any FileSystem) { self.base = base }

    public var isCold: Bool {
        get { cold.load(ordering: .relaxed) }
        set { cold.store(newValue, ordering: .relaxed) }
    }

    public func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        ColdFile(try base.open(path, mode), self)
    }
}

private final class ColdFile: WrappingFile {
    let base: any File
    private let owner: ColdFileSystem

    init(_ base: any File, _ owner: ColdFileSystem) {
        self.base = base
        self.owner = owner
    }

    func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int? {
        owner.isCold ? nil : try base.readCached(into: buffer, at: offset)
    }
}
