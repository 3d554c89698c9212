/// Copies the files that MANIFEST names byte for byte, and checks the bytes against its hash of each. Thread-safe.
struct TableCopier: Sendable {
    let source: FileNames
    let target: FileNames
    let fileSystem: any FileSystem

    /// - Parameter progress: is told the bytes of each piece; throws to end the copy, which then is in pieces.
    func copy(
        _ file: FileMetadata, progress: (UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        let to = target.dataFile(file.kind, file.number)
        if try isThere(to, byteCount: file.byteCount, hash: file.contentHash) {
            return try progress(file.byteCount)
        }
        do throws(StorageError) {
            try fileSystem.copy(
                source.dataFile(file.kind, file.number), to: to, byteCount: file.byteCount,
                hash: file.contentHash, progress: progress)
        } catch {
            throw try explain(error, file)
        }
    }

    /// A try that was killed has copied the file whole; what is there of it otherwise is removed.
    func isThere(
        _ path: String, byteCount: UInt64, hash: UInt64
    ) throws(StorageError) -> Bool {
        guard try fileSystem.exists(path) else { return false }
        if hash != 0, try fileSystem.fileSize(path) == byteCount,
            try fileSystem.hash(of: path, byteCount: byteCount) == hash
        {
            // It may be in the page cache alone.
            let copy = try fileSystem.open(path, .readWrite)
            defer { try? copy.close() }
            try copy.syncData()
            return true
        }
        try fileSystem.remove(path)
        return false
    }

    /// A file that is not there was compacted away by a live writer, unless the manifest of this
    /// moment still names it: then it is lost.
    func explain(
        _ error: StorageError, _ file: FileMetadata
    ) throws(StorageError) -> StorageError {
        guard error.code == .notFound,
            let manifest = try ManifestReader.readLive(source, fileSystem, forWriting: false)
        else { return error }
        var isNamed = false
        for edit in manifest.edits {
            if edit.removed.contains(where: { $0.number == file.number }) { isNamed = false }
            if edit.added.contains(where: { $0.file.number == file.number }) { isNamed = true }
        }
        guard isNamed else { return error }
        return .corruption(
            "The manifest names a \(file.kind == .blob ? "blob file" : "table") that is missing.",
            path: source.dataFile(file.kind, file.number),
            hint: "Restore it from a backup; sst-verify lists what it held.")
    }
}
