import FalconStorage

/// One run of sst-verify.
struct SSTVerifyRun {
    let options: SSTVerify
    let report: ReportWriter
    let progress: ToolProgress
    private var tables = 0
    var damaged = 0
    /// Problems of FORMAT, CURRENT, MANIFEST and the log.
    private var damagedFiles = 0
    private var isAnythingRead = false
    /// Encrypted files were met without their key.
    var hidden = false
    var bytes: UInt64 = 0
    private var entries: UInt64 = 0
    var liveBytes: UInt64 = 0
    var garbageBytes: UInt64 = 0
    var blobs = 0
    var damagedBlobs: Set<FileNumber> = []
    private var resolver: BlobResolver?
    var fileSystem: any FileSystem { report.context.fileSystem }

    init(_ options: SSTVerify, _ report: ReportWriter) {
        self.options = options
        self.report = report
        progress = ToolProgress("sst-verify", report)
    }

    mutating func check(_ path: String) throws(StorageError) {
        try find(path)
        isAnythingRead = true
    }

    private mutating func find(_ path: String) throws(StorageError) {
        var root = path
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        guard try fileSystem.exists(root) else {
            throw StorageError(
                .notFound, kind: .user, "There is no such file or directory.",
                location: .init(path: root))
        }
        guard try fileSystem.isDirectory(root) else {
            try report.context.openKeys(
                options.key, root: VFSPath.parent(of: VFSPath.parent(of: root)))
            if root.hasSuffix(".blob") {
                verifyBlob(root, nil)
            } else {
                verify(root, nil, .init())
            }
            return
        }
        let names = FileNames(root: root)
        let isEngine = try DataDirectory.isEngine(root, fileSystem)
        let hasTables = try fileSystem.exists(names.sstDirectory)
        if isEngine || hasTables {
            try checkDirectory(names)
        } else if VFSPath.name(of: root) == "sst" {
            let names = FileNames(root: VFSPath.parent(of: root))
            if try DataDirectory.isEngine(names.root, fileSystem) {
                try checkDirectory(names)
            } else {
                // A copy of the tables alone: each file against itself.
                try checkFiles(root)
            }
        } else {
            throw .invalidArgument(
                "'\(root)' is no data directory: it has neither CURRENT nor sst.")
        }
    }

    // MARK: - A data directory

    private mutating func checkDirectory(_ names: FileNames) throws(StorageError) {
        try report.context.openKeys(options.key, root: names.root)
        let condition = try DirectoryCondition.read(names, fileSystem)
        for problem in condition.problems {
            let isFormat = problem.location?.path == names.format
            report.add(Finding(refusal: problem, isFormat ? .directoryFile : .sstManifest))
        }
        damagedFiles += condition.problems.count
        if condition.isHidden {
            hidden = true
            return try checkFiles(names.sstDirectory)
        }
        if let missing = try LogExpectation.findMissing(names, fileSystem) {
            damagedFiles += 1
            report.add(Finding(missingLog: missing))
        }
        if condition.expectation == nil {
            // Without MANIFEST each file can still be checked against itself.
            guard try fileSystem.exists(names.sstDirectory) else { return }
            return try checkFiles(names.sstDirectory)
        }
        let directory = try TableDirectory.read(names, fileSystem)
        if directory.tornManifestBytes > 0 {
            report.add(
                Finding(
                    .sstTornManifest, "The last edit of MANIFEST is unfinished.",
                    file: directory.manifestPath, length: directory.tornManifestBytes))
        }
        try checkBlobs(directory, names)
        resolver = BlobResolver(
            directory, names, damaged: damagedBlobs, fileSystem: fileSystem)
        defer { resolver = nil }
        let total = directory.tables.reduce(UInt64(0)) { $0 + ($1.expected.fileBytes ?? 0) }
        for table in directory.tables {
            progress.update(bytes >> 20, of: total >> 20, unit: "MiB")
            if report.context.shouldStop { break }
            if let reason = table.quarantine { reportQuarantine(table, reason) }
            guard try fileSystem.exists(table.path) else {
                // Beside a live server: was it compacted away meanwhile?
                let now = try TableDirectory.read(names, fileSystem)
                if now.tables.contains(where: { $0.number == table.number }) {
                    damaged += 1
                    report.add(
                        Finding(
                            .sstMissing, "MANIFEST names a table that is not there.",
                            file: table.path,
                            blastRadius: range(
                                table.expected.smallestKey, table.expected.largestKey)))
                }
                continue
            }
            verify(table.path, table, table.expected)
        }
        for (a, b) in directory.overlaps {
            report.add(
                Finding(
                    .sstOverlap, "Tables of level \(a.level) overlap.", file: a.path,
                    actual: b.path,
                    blastRadius: range(b.expected.smallestKey, a.expected.largestKey)))
        }
        for orphan in directory.orphans {
            report.add(
                Finding(.sstOrphan, "MANIFEST does not name this file.", file: orphan))
        }
    }

    private mutating func checkFiles(_ directory: String) throws(StorageError) {
        for name in try fileSystem.list(directory).sorted() {
            if name.hasSuffix(".sst") { verify(directory + "/" + name, nil, .init()) }
            if name.hasSuffix(".blob") { verifyBlob(directory + "/" + name, nil) }
        }
    }

    /// One finding for the table, or one for each damaged block that MANIFEST knows of.
    private mutating func reportQuarantine(_ table: TableDirectory.Table, _ reason: String) {
        if table.losses.isEmpty {
            report.add(
                Finding(
                    .sstQuarantined, "The table is out of service.", file: table.path,
                    actual: reason,
                    blastRadius: range(table.expected.smallestKey, table.expected.largestKey)))
        }
        for loss in table.losses {
            report.add(
                Finding(
                    .sstQuarantined,
                    loss.keys == nil
                        ? "The table is out of service; no row is lost, reads go without its filter."
                        : "The table is out of service; what no damaged block holds is served.",
                    file: table.path, offset: loss.offset, length: loss.byteCount, actual: reason,
                    blastRadius: loss.keys.flatMap { range($0.lower, $0.upper) }))
        }
    }

    // MARK: - One table

    private mutating func verify(
        _ path: String, _ table: TableDirectory.Table?, _ expected: TableExpectations
    ) {
        let result: TableVerification
        do throws(StorageError) {
            let file = try fileSystem.open(path, .read)
            result = TableVerifier.verify(
                file, expected: expected, findingLimit: options.maxFindings, blobs: resolver,
                keyring: fileSystem.keyring)
            try file.close()
        } catch {
            damaged += 1
            return report.add(error)
        }
        tables += 1
        if result.isEncrypted, fileSystem.keyring == nil { hidden = true }
        bytes += result.fileBytes
        entries += result.checkedEntries
        if !result.isClean { damaged += 1 }
        progress.end()
        let properties = result.properties
        report.record(
            [
                ("file", .string(path)),
                ("number", .text(table.map { FileNames.hex($0.number.rawValue) })),
                ("level", table.map { .count($0.level) } ?? .null),
                ("uid", .text(result.uid)), ("bytes", .unsigned(result.fileBytes)),
                ("entries", .unsigned(result.checkedEntries)),
                ("tombstones", (properties?.tombstoneCount).map(JSONValue.unsigned) ?? .null),
                (
                    "range_tombstones",
                    (properties?.rangeTombstoneCount).map(JSONValue.unsigned) ?? .null
                ),
                ("blocks", .unsigned(result.checkedBlocks)),
                (
                    "min_timestamp",
                    (properties?.minTimestamp.rawValue).map(JSONValue.unsigned) ?? .null
                ),
                (
                    "max_timestamp",
                    (properties?.maxTimestamp.rawValue).map(JSONValue.unsigned) ?? .null
                ),
                ("findings", .count(result.findings.count + result.suppressedFindings)),
                ("kind", .string("table")), ("live_bytes", .null), ("garbage_bytes", .null),
            ],
            text: "\(path): " + (table.map { "level \($0.level), " } ?? "")
                + "\(result.fileBytes) bytes, \(result.checkedEntries) entries: "
                + (result.isClean
                    ? "ok" : "\(result.findings.count + result.suppressedFindings) findings"))
        add(result.findings, path)
    }

    func add(_ findings: [TableFinding], _ path: String) {
        for finding in findings {
            report.add(
                Finding(
                    FindingKind.table(finding.code), finding.message, file: path,
                    offset: finding.offset, length: finding.length, expected: finding.expected,
                    actual: finding.actual,
                    blastRadius: range(finding.lowerKey, finding.upperKey)))
        }
    }

    private func range(_ lower: [UInt8]?, _ upper: [UInt8]?) -> String? {
        options.keys.range(lower, upper)
    }

    func conclude() {
        progress.end()
        if isAnythingRead || tables + blobs > 0 {
            let outcome =
                damaged > 0
                ? "\(damaged) with findings"
                : damagedFiles > 0 ? "the tables are sound, the directory is not" : "all sound"
            report.line("\(tables) tables, \(bytes) bytes, \(entries) entries checked; " + outcome)
        }
        if hidden {
            report.line("encrypted files were checked without a key: structure and checksums only")
        }
        report.set("checked_without_key", .bool(hidden))
        if blobs > 0 {
            report.line(
                "\(blobs) blob files with \(liveBytes) bytes that tables refer to and "
                    + "\(garbageBytes) bytes of garbage")
        }
        report.set("blob_files", .count(blobs))
        report.set("blob_live_bytes", .unsigned(liveBytes))
        report.set("blob_garbage_bytes", .unsigned(garbageBytes))
        report.set("tables", .count(tables))
        report.set("bytes", .unsigned(bytes))
        report.set("entries", .unsigned(entries))
        report.set("damaged_tables", .count(damaged))
    }
}
