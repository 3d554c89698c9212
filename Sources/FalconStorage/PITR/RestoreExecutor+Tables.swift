extension RestoreExecutor {
    /// Copies every table and blob file.
    func copyTables() throws(StorageError) -> [VersionEdit.Addition] {
        guard let tables = plan.source.tables else { return [] }
        var done: UInt64 = 0
        try copy(tables.files, &done, tables.byteCount)
        return tables.files
    }

    /// Copies files byte for byte, checking the bytes against MANIFEST's hash of each.
    private func copy(
        _ files: [VersionEdit.Addition], _ done: inout UInt64, _ total: UInt64
    ) throws(StorageError) {
        let names = FileNames(root: plan.source.root)
        for addition in files {
            let file = addition.file
            let from = names.dataFile(file.kind, file.number)
            let target = partial.dataFile(file.kind, file.number)
            if try isThere(target, file) {
                done &+= file.byteCount
                try progress(.copyTables, done, total)
                continue
            }
            do throws(StorageError) {
                try fileSystem.copy(
                    from, to: target, byteCount: file.byteCount, hash: file.contentHash
                ) { count throws(StorageError) in
                    done &+= count
                    try progress(.copyTables, done, total)
                }
            } catch {
                throw try explain(error, file)
            }
        }
        try fileSystem.syncDirectory(partial.sstDirectory)
    }

    /// A try that was killed has copied the file whole; what is there of it otherwise is removed.
    private func isThere(_ path: String, _ file: FileMetadata) throws(StorageError) -> Bool {
        guard try fileSystem.exists(path) else { return false }
        if file.contentHash != 0, try fileSystem.fileSize(path) == file.byteCount,
            try fileSystem.hash(of: path, byteCount: file.byteCount) == file.contentHash
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

    /// Copies the files of an INGEST record that is going to be replayed.
    func copyIngested(_ record: WALRecord) throws(StorageError) {
        guard let ingest = IngestRecord(record.body) else {
            throw .corruption(
                "The INGEST record at \(record.lsn) makes no sense.",
                path: FileNames(root: plan.source.root).walDirectory)
        }
        let names = FileNames(root: plan.source.root)
        var done: UInt64 = 0
        for file in ingest.files {
            let to = partial.table(file.number)
            // MANIFEST may have it already, moved to its level.
            if try fileSystem.exists(to) { continue }
            try fileSystem.copy(
                names.table(file.number), to: to, byteCount: file.byteCount, hash: file.hash
            ) { count throws(StorageError) in
                done &+= count
                try progress(.copyTables, done, ingest.byteCount)
            }
        }
        try fileSystem.syncDirectory(partial.sstDirectory)
    }

    /// A file that is not there was compacted away by a live writer, unless the manifest of this
    /// moment still names it: then it is lost.
    private func explain(
        _ error: StorageError, _ file: FileMetadata
    ) throws(StorageError) -> StorageError {
        let names = FileNames(root: plan.source.root)
        guard error.code == .notFound,
            let manifest = try ManifestReader.readLive(names, fileSystem, forWriting: false)
        else { return error }
        var isNamed = false
        for edit in manifest.edits {
            if edit.removed.contains(where: { $0.number == file.number }) { isNamed = false }
            if edit.added.contains(where: { $0.file.number == file.number }) { isNamed = true }
        }
        guard isNamed else { return error }
        return .corruption(
            "The manifest names a \(file.kind == .blob ? "blob file" : "table") that is missing.",
            path: names.dataFile(file.kind, file.number),
            hint: "Restore it from a backup; sst-verify lists what it held.")
    }

    /// Rewrites every table without what is newer than the target, and copies the blob files that are
    /// still referred to. Levels stay: a file's bounds only
    /// shrink.
    func filterTables() throws(StorageError) -> [VersionEdit.Addition] {
        guard let tables = plan.source.tables, let newest = plan.newestKept else { return [] }
        let source = TableStore(
            names: FileNames(root: plan.source.root), fileSystem: fileSystem, cache: nil)
        let store = TableStore(names: partial, fileSystem: fileSystem, cache: nil)
        var result: [VersionEdit.Addition] = []
        var done: UInt64 = 0
        for addition in tables.files where addition.file.kind == .rowTable {
            let reader: TableReader
            do throws(StorageError) {
                reader = try source.open(addition.file)
            } catch {
                throw try explain(error, addition.file)
            }
            let output = TableOutput(
                store: store,
                options: .init(
                    table: TableOptions(), targetBytes: .max, flushEpoch: addition.file.flushEpoch,
                    keyCatalogLimit: catalogStorageLimit),
                random: environment.random,
                tombstones: reader.rangeTombstones.filter { $0.timestamp <= newest },
                allocateNumber: { addition.file.number })
            do throws(StorageError) {
                let entries = reader.makeIterator(fillCache: false)
                try entries.seekToFirst()
                while entries.isValid {
                    if entries.timestamp <= newest {
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
        let used = Set(result.flatMap { $0.file.blobUses.map(\.file) })
        let blobs = tables.files.filter { $0.file.kind == .blob && used.contains($0.file.number) }
        try copy(blobs, &done, tables.byteCount)
        return result + blobs
    }

    /// Brings over what is sound of every table and blob file.
    func salvageTables() throws(StorageError) -> ([VersionEdit.Addition], [SalvageLoss]) {
        guard let tables = plan.source.tables else { return ([], []) }
        var done: UInt64 = 0
        let total = tables.byteCount
        var salvage = TableSalvage(
            from: TableStore(
                names: FileNames(root: plan.source.root), fileSystem: fileSystem, cache: nil),
            to: TableStore(names: partial, fileSystem: fileSystem, cache: nil),
            random: environment.random, catalogLimit: catalogStorageLimit
        ) { addition throws(StorageError) in
            try copy([addition], &done, total)
        }
        defer { salvage.close() }
        var blobs: [VersionEdit.Addition] = []
        for addition in tables.files where addition.file.kind == .blob {
            let before = done
            if try salvage.bring(blob: addition) { blobs.append(addition) }
            done = before &+ addition.file.byteCount
            try progress(.copyTables, done, total)
        }
        var result: [VersionEdit.Addition] = []
        for addition in tables.files where addition.file.kind == .rowTable {
            let before = done
            result += try salvage.bring(table: addition)
            done = before &+ addition.file.byteCount
            try progress(.copyTables, done, total)
        }
        let used = Set(result.flatMap { $0.file.blobUses.map(\.file) })
        return (result + blobs.filter { used.contains($0.file.number) }, salvage.losses)
    }
}
