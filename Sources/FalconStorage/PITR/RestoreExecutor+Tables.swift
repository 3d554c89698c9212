extension RestoreExecutor {
    /// Copies every table and blob file.
    func copyTables() throws(StorageError) -> [VersionEdit.Addition] {
        guard let tables = plan.source.tables else { return [] }
        var done: UInt64 = 0
        try copy(tables.files, &done, tables.byteCount)
        return tables.files
    }

    /// Removes what an earlier try left among the tables and this one does not bring along: what its replay made.
    func removeStrangers() throws(StorageError) {
        var wanted = Set<String>()
        for addition in plan.source.tables?.files ?? [] {
            let file = addition.file
            wanted.insert(VFSPath.name(of: partial.dataFile(file.kind, file.number)))
        }
        for ingest in plan.source.ingests {
            for file in ingest.record.files {
                wanted.insert(VFSPath.name(of: partial.table(file.number)))
            }
        }
        for name in try fileSystem.list(partial.sstDirectory) where !wanted.contains(name) {
            try fileSystem.remove(partial.sstDirectory + "/" + name)
        }
    }

    private var copier: TableCopier {
        TableCopier(
            source: FileNames(root: plan.source.root), target: partial, fileSystem: fileSystem)
    }

    /// Copies files, as many side by side as there are jobs.
    private func copy(
        _ files: [VersionEdit.Addition], _ done: inout UInt64, _ total: UInt64
    ) throws(StorageError) {
        let copier = copier
        if jobs > 1, files.count > 1 {
            let before = done
            _ = try ParallelWork.run(
                files.count, jobs: jobs,
                work: { index, shared throws(StorageError) in
                    try copier.copy(files[index].file) { count throws(StorageError) in
                        try shared.add(count)
                    }
                },
                progress: { count throws(StorageError) in
                    try progress(.copyTables, before &+ count, total)
                })
            done = files.reduce(before) { $0 &+ $1.file.byteCount }
        } else {
            for addition in files {
                try copier.copy(addition.file) { count throws(StorageError) in
                    done &+= count
                    try progress(.copyTables, done, total)
                }
            }
        }
        try fileSystem.syncDirectory(partial.sstDirectory)
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
            // MANIFEST may have it already, moved to its level; or a try that was killed had begun it.
            if try copier.isThere(to, byteCount: file.byteCount, hash: file.hash) { continue }
            try fileSystem.copy(
                names.table(file.number), to: to, byteCount: file.byteCount, hash: file.hash
            ) { count throws(StorageError) in
                done &+= count
                try progress(.copyTables, done, ingest.byteCount)
            }
        }
        try fileSystem.syncDirectory(partial.sstDirectory)
    }

    /// Rewrites every table without what is newer than the target, and copies the blob files that are
    /// still referred to. Levels stay: a file's bounds only
    /// shrink.
    func filterTables() throws(StorageError) -> [VersionEdit.Addition] {
        guard let tables = plan.source.tables, let newest = plan.newestKept else { return [] }
        let filter = TableFilter(
            source: TableStore(
                names: FileNames(root: plan.source.root), fileSystem: fileSystem, cache: nil),
            target: TableStore(names: partial, fileSystem: fileSystem, cache: nil),
            newest: newest, catalogLimit: catalogStorageLimit, random: environment.random,
            copier: copier)
        let rows = tables.files.filter { $0.file.kind == .rowTable }
        var done: UInt64 = 0
        var result: [VersionEdit.Addition] = []
        if jobs > 1, rows.count > 1 {
            result = try ParallelWork.run(
                rows.count, jobs: jobs,
                work: { index, shared throws(StorageError) in
                    let made = try filter.rewrite(rows[index])
                    try shared.add(rows[index].file.byteCount)
                    return made
                },
                progress: { count throws(StorageError) in
                    try progress(.copyTables, count, tables.byteCount)
                }
            ).flatMap { $0 }
            done = rows.reduce(0) { $0 &+ $1.file.byteCount }
        } else {
            for addition in rows {
                result += try filter.rewrite(addition)
                done &+= addition.file.byteCount
                try progress(.copyTables, done, tables.byteCount)
            }
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
