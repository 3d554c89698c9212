/// Brings the files of one base backup into a repository.
struct BackupCopier {
    let repository: Repository
    /// Where the tables are.
    let source: FileNames
    let fileSystem: any FileSystem
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
            let hash = try copy(from, to: temporary, byteCount: file.byteCount)
            if entry.hash != 0, hash != entry.hash {
                throw .corruption(
                    "The file's bytes are not those that were written.", path: from, offset: 0,
                    hint: "Run sst-verify on it.")
            }
            entry.hash = hash
            let path = repository.names.file(entry)
            if try hashOfFile(temporary, byteCount: file.byteCount) != hash {
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

    private func copy(
        _ from: String, to: String, byteCount: UInt64
    ) throws(StorageError) -> UInt64 {
        let source = try fileSystem.open(from, .read)
        defer { try? source.close() }
        let target = try fileSystem.open(to, .create)
        let hash = XXH3Stream()
        do throws(StorageError) {
            var offset: UInt64 = 0
            while offset < byteCount {
                let count = Int(min(1 << 20, byteCount - offset))
                let bytes = try source.readExactly(count, at: offset)
                bytes.withUnsafeBytes { hash.update($0) }
                try target.write(bytes, at: offset)
                offset += UInt64(count)
                try progress(UInt64(count))
            }
            try target.syncData()
        } catch {
            try? target.close()
            throw error
        }
        try target.close()
        return hash.digest
    }

    private func hashOfFile(_ path: String, byteCount: UInt64) throws(StorageError) -> UInt64 {
        try fileSystem.hash(of: path, byteCount: byteCount)
    }
}

extension FileSystem {
    /// XXH3-64 of a file that has `byteCount` bytes; throws `corruption` where it has not.
    func hash(
        of path: String, byteCount: UInt64,
        progress: (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in }
    ) throws(StorageError) -> UInt64 {
        let file = try open(path, .read)
        defer { try? file.close() }
        let size = try file.size()
        guard size == byteCount else {
            throw .corruption(
                "The file has \(size) bytes in place of \(byteCount).", path: path,
                offset: min(size, byteCount))
        }
        let hash = XXH3Stream()
        var offset: UInt64 = 0
        while offset < byteCount {
            let count = Int(min(1 << 20, byteCount - offset))
            let bytes = try file.readExactly(count, at: offset)
            bytes.withUnsafeBytes { hash.update($0) }
            offset += UInt64(count)
            try progress(UInt64(count))
        }
        return hash.digest
    }
}
