import Synchronization

/// Opens the data files of one directory and deletes those no reader needs any more.
final class TableStore: @unchecked Sendable {
    let names: FileNames
    let fileSystem: any FileSystem
    let cache: BlockCache?
    /// Set once CURRENT names a manifest that no longer lists the obsolete files.
    private let doomed = Mutex<[FileNumber]>([])

    init(names: FileNames, fileSystem: any FileSystem, cache: BlockCache?) {
        self.names = names
        self.fileSystem = fileSystem
        self.cache = cache
    }

    func open(_ metadata: FileMetadata) throws(StorageError) -> TableReader {
        let path = names.table(metadata.number)
        guard metadata.kind == .rowTable else {
            throw StorageError(
                .unsupportedFormat, kind: .user,
                "The manifest lists a kind of file that this program cannot read.",
                location: .init(path: path))
        }
        let file = try fileSystem.open(path, .read)
        do throws(StorageError) {
            return try TableReader.open(
                file: file, uid: metadata.uid, size: metadata.byteCount, cache: cache)
        } catch {
            try? file.close()
            throw error
        }
    }

    func doom(_ number: FileNumber) { doomed.withLock { $0.append(number) } }

    var hasDoomed: Bool { doomed.withLock { !$0.isEmpty } }

    /// Unlinks what has been doomed. A file that will not go becomes an orphan, reported on the next
    /// open, and harms nothing.
    func deleteDoomed() {
        let numbers = doomed.withLock { list in
            defer { list = [] }
            return list
        }
        for number in numbers { try? fileSystem.remove(names.table(number)) }
    }
}
