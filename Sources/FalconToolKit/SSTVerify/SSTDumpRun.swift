import FalconStorage

/// One run of sst-verify --dump.
struct SSTDumpRun {
    static let columns = [
        "file", "level", "block", "offset", "kind", "timestamp", "commit_time", "storage",
        "key_bytes", "value_bytes", "key", "to", "value", "blob_file", "blob_offset",
    ]

    /// A table that is to be listed.
    private struct Table {
        var path: String
        /// What MANIFEST says of it; nil: it was named by itself.
        var known: TableDirectory.Table?
    }

    private let options: SSTVerify
    private let report: ReportWriter
    private let pace: VerificationPace
    private let names = WALNames()
    private let lower: [UInt8]
    private let upper: [UInt8]?
    private var fileSystem: any FileSystem { report.context.fileSystem }

    init(_ options: SSTVerify, _ report: ReportWriter) {
        self.options = options
        self.report = report
        pace = options.makePace(report.context)
        lower = options.keyPrefix ?? options.from ?? []
        upper = options.keyPrefix.map { KeyOrder.prefixSuccessor($0) } ?? options.to
    }

    func list() throws(StorageError) {
        var left = options.limit ?? .max
        var tables = 0
        for path in options.paths {
            do throws(StorageError) {
                let (found, directory) = try find(path)
                for table in found {
                    if report.context.shouldStop || left == 0 { break }
                    try list(table, directory, &left)
                    tables += 1
                }
            } catch { report.add(error) }
        }
        let entries = (options.limit ?? .max) - left
        report.line("\(entries) entries of \(tables) tables")
        report.set("tables", .count(tables))
        report.set("entries", .count(entries))
        report.set("complete", .bool(!report.context.shouldStop && left > 0))
    }

    // MARK: - Tables

    /// The tables that a path stands for, and the directory whose MANIFEST names them.
    private func find(
        _ path: String
    ) throws(StorageError) -> ([Table], FileNames?) {
        var root = path
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        guard try fileSystem.exists(root) else {
            throw StorageError(
                .notFound, kind: .user, "There is no such file or directory.",
                location: .init(path: root))
        }
        guard try fileSystem.isDirectory(root) else {
            if root.hasSuffix(".blob") {
                throw .invalidArgument("'\(root)' is a blob file; --dump lists tables.")
            }
            try open(VFSPath.parent(of: VFSPath.parent(of: root)))
            return ([Table(path: root)], nil)
        }
        if try !DataDirectory.isEngine(root, fileSystem), VFSPath.name(of: root) == "sst" {
            root = VFSPath.parent(of: root)
        }
        let names = FileNames(root: root)
        guard try fileSystem.exists(names.sstDirectory) else {
            throw .invalidArgument("'\(root)' is no data directory: it has no sst.")
        }
        try open(root)
        do throws(StorageError) {
            if try fileSystem.exists(names.current) {
                let tables = try TableDirectory.read(names, fileSystem).tables
                return (tables.map { Table(path: $0.path, known: $0) }, names)
            }
        } catch  where error.code == .corruption {
            report.add(Finding(refusal: error, .sstManifest))
        }
        let files = try fileSystem.list(names.sstDirectory).sorted()
        let tables = files.filter { $0.hasSuffix(".sst") }
        return (tables.map { Table(path: names.sstDirectory + "/" + $0) }, nil)
    }

    /// Opens the keys of a directory, and learns its tables where rows are shown by column.
    private func open(_ root: String) throws(StorageError) {
        try report.context.openKeys(options.key, root: root)
        guard options.keys == .row || options.values == .row else { return }
        do throws(StorageError) {
            try names.schema.load(root: root, environment: report.context.environment)
        } catch  where error.code != .keyMissing {
            // Of a damaged directory, or of tables alone: numbers and hex have to do.
        }
    }

    // MARK: - Entries

    private func list(
        _ table: Table, _ directory: FileNames?, _ left: inout Int
    ) throws(StorageError) {
        let file: any File
        do throws(StorageError) {
            file = try pace.limiting(fileSystem).open(table.path, .read)
        } catch  where error.code == .notFound && directory != nil {
            return try tellMissing(table, directory)
        }
        let level = table.known?.level
        report.line(table.path + (level.map { ": level \($0)" } ?? ""))
        let printer = SSTEntryPrinter(
            keys: options.keys, values: options.values ?? .none, names: names)
        var remaining = left
        var failure: StorageError?
        do throws(StorageError) {
            try TableEntries.read(
                file, keyring: fileSystem.keyring, from: lower, to: upper,
                ingested: table.known?.expected.ingestTimestamp,
                report: { report.add(Finding($0, table.path, options.keys)) },
                body: { entry in
                    if report.context.shouldStop { return false }
                    report.record(
                        printer.record(entry, table.path, level: level), text: printer.line(entry))
                    remaining -= 1
                    return remaining > 0
                })
        } catch { failure = error }
        left = remaining
        try file.close()
        if let failure { throw failure }
    }

    /// Beside a live server a table may have been compacted away meanwhile.
    private func tellMissing(
        _ table: Table, _ directory: FileNames?
    ) throws(StorageError) {
        guard let directory,
            try TableDirectory.read(directory, fileSystem).tables.contains(where: {
                $0.number == table.known?.number
            })
        else { return }
        report.add(
            Finding(
                .sstMissing, "MANIFEST names a table that is not there.", file: table.path,
                blastRadius: options.keys.range(
                    table.known?.expected.smallestKey, table.known?.expected.largestKey)))
    }
}
