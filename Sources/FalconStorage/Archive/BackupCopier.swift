/// Brings the files of one base backup into a repository.
struct BackupCopier {
    let repository: Repository
    /// Where the tables are.
    let source: FileNames
    let fileSystem: any FileSystem
    /// Copied at once, between two calls of `progress`.
    let pieceBytes: Int
    /// Called with the bytes that were copied; throws to end the backup.
    let progress: (UInt64) throws(StorageError) -> Void

    /// Copies the file unless the repository has it. What there is under its name is whole, by its size.
    func bring(_ file: FileMetadata) throws(StorageError) -> BackupManifest.File {
        var entry = BackupManifest.File(
            kind: file.kind, number: file.number, uid: file.uid, byteCount: file.byteCount,
            hash: file.contentHash, isReused: false)
        if entry.hash != 0 {
            let path = repository.names.file(entry)
            if try fileSystem.exists(path), try fileSystem.fileSize(path) == entry.byteCount {
                entry.isReused = true
                return entry
            }
        }
        let from = source.dataFile(file.kind, file.number)
        let temporary = FileNames.temporary(
            repository.names.files + "/" + file.uid.description)
        if try fileSystem.exists(temporary) { try fileSystem.remove(temporary) }
        do throws(StorageError) {
            entry.hash = try fileSystem.copy(
                from, to: temporary, byteCount: file.byteCount, hash: entry.hash,
                pieceBytes: pieceBytes, progress: progress)
            let path = repository.names.file(entry)
            let found = try fileSystem.hash(of: temporary, byteCount: file.byteCount) {
                _ throws(StorageError) in try progress(0)
            }
            if found != entry.hash {
                throw StorageError(
                    .io, kind: .transient, "The copy of a file is not what was written.",
                    location: .init(path: path), hint: "Look at the repository's device.")
            }
            if try fileSystem.exists(path) { try fileSystem.remove(path) }
            try fileSystem.rename(temporary, to: path)
        } catch {
            try? fileSystem.remove(temporary)
            throw error
        }
        return entry
    }
}
