extension RestoreExecutor {
    /// Copies every table byte for byte, checking the bytes against MANIFEST's hash of the file.
    func copyTables() throws(StorageError) -> [VersionEdit.Addition] {
        guard let tables = plan.source.tables else { return [] }
        let names = FileNames(root: plan.source.root)
        var done: UInt64 = 0
        for addition in tables.files {
            let file = addition.file
            let from = names.table(file.number)
            let hash: UInt64
            do throws(StorageError) {
                hash = try copy(
                    from, to: partial.table(file.number), byteCount: file.byteCount,
                    done: &done, total: tables.byteCount)
            } catch {
                throw try explain(error, file.number)
            }
            if file.contentHash != 0, hash != file.contentHash {
                throw .corruption(
                    "The table's bytes are not those that were written.", path: from, offset: 0,
                    hint: "Run sst-verify on it.")
            }
        }
        try fileSystem.syncDirectory(partial.sstDirectory)
        return tables.files
    }

    /// A table that is not there was compacted away by a live writer, unless the manifest of this
    /// moment still names it: then it is lost.
    private func explain(
        _ error: StorageError, _ number: FileNumber
    ) throws(StorageError) -> StorageError {
        let names = FileNames(root: plan.source.root)
        guard error.code == .notFound,
            let manifest = try ManifestReader.readLive(names, fileSystem, forWriting: false)
        else { return error }
        var isNamed = false
        for edit in manifest.edits {
            if edit.removed.contains(where: { $0.number == number }) { isNamed = false }
            if edit.added.contains(where: { $0.file.number == number }) { isNamed = true }
        }
        guard isNamed else { return error }
        return .corruption(
            "The manifest names a table that is missing.", path: names.table(number),
            hint: "Restore it from a backup; sst-verify lists what it held.")
    }

    private func copy(
        _ from: String, to: String, byteCount: UInt64, done: inout UInt64, total: UInt64
    ) throws(StorageError) -> UInt64 {
        let source = try fileSystem.open(from, .read)
        let copy = try fileSystem.open(to, .create)
        let hash = XXH3Stream()
        var offset: UInt64 = 0
        do throws(StorageError) {
            while offset < byteCount {
                let count = Int(min(1 << 20, byteCount - offset))
                let bytes = try source.readExactly(count, at: offset)
                bytes.withUnsafeBytes { hash.update($0) }
                try copy.write(bytes, at: offset)
                offset += UInt64(count)
                done &+= UInt64(count)
                try progress(.copyTables, done, total)
            }
            guard try source.size() == byteCount else {
                throw .corruption(
                    "The table is longer than MANIFEST says.", path: from, offset: byteCount)
            }
            try copy.syncData()
        } catch {
            try? source.close()
            try? copy.close()
            throw error
        }
        try source.close()
        try copy.close()
        return hash.digest
    }

    /// Rewrites every table without what is newer than the target. Levels stay: a file's bounds only
    /// shrink.
    func filterTables() throws(StorageError) -> [VersionEdit.Addition] {
        guard let tables = plan.source.tables, let last = plan.last else { return [] }
        let source = TableStore(
            names: FileNames(root: plan.source.root), fileSystem: fileSystem, cache: nil)
        let store = TableStore(names: partial, fileSystem: fileSystem, cache: nil)
        var result: [VersionEdit.Addition] = []
        var done: UInt64 = 0
        for addition in tables.files {
            let reader: TableReader
            do throws(StorageError) {
                reader = try source.open(addition.file)
            } catch {
                throw try explain(error, addition.file.number)
            }
            let output = TableOutput(
                store: store,
                options: .init(
                    table: TableOptions(), targetBytes: .max, flushEpoch: addition.file.flushEpoch),
                random: environment.random,
                tombstones: reader.rangeTombstones.filter { $0.timestamp <= last.timestamp },
                allocateNumber: { addition.file.number })
            do throws(StorageError) {
                let entries = reader.makeIterator(fillCache: false)
                try entries.seekToFirst()
                while entries.isValid {
                    if entries.timestamp <= last.timestamp {
                        try output.add(
                            key: entries.userKey, timestamp: entries.timestamp,
                            kind: entries.kind, value: entries.value)
                    }
                    try entries.next()
                }
                result += try output.finish().map { .init(level: addition.level, file: $0) }
            } catch {
                output.abandon()
                try? reader.close()
                throw error
            }
            try reader.close()
            done &+= addition.file.byteCount
            try progress(.copyTables, done, tables.byteCount)
        }
        return result
    }
}
