import FalconStorage

/// One run of sst-verify.
struct SSTVerifyRun {
    let options: SSTVerify
    let report: ReportWriter
    let pace: VerificationPace
    let plan: VerificationPlan
    private let progress: ToolProgress
    /// Of an earlier run that did not come to its end, and of this one.
    private var state: SSTVerifyState?
    var totals = SSTTotals()
    /// Files of which is known that they were not checked, and paths that were not looked into.
    private(set) var uncheckedFiles = 0
    var uncheckedPaths = 0
    /// For the progress line: of the directories and files that were found so far.
    private var expectedBytes: UInt64 = 0
    private var expectedFiles = 0
    private var isAnythingRead = false
    private var damagedBlobs: Set<FileNumber> = []
    var fileSystem: any FileSystem { report.context.fileSystem }

    init(_ options: SSTVerify, _ report: ReportWriter) throws(StorageError) {
        self.options = options
        self.report = report
        pace = options.makePace(report.context)
        progress = ToolProgress("sst-verify", report)
        var plan = VerificationPlan()
        plan.isQuick = options.quick
        plan.measuresFilters = !options.quick
        plan.histogramsAsOf =
            options.histograms ? report.context.environment.clock.wallMicros() : nil
        plan.pace = pace
        self.plan = plan
        guard let path = options.state else { return }
        for inspected in options.paths {
            try ToolPath.checkOutside(path, of: inspected, report.context.fileSystem)
        }
        let state = try SSTVerifyState(
            path, isQuick: options.quick, report.context.environment)
        if state.isOfOtherDepth, !report.isQuiet {
            report.context.diagnose(
                "'\(path)' is of a check of another depth: this one begins anew.")
        }
        self.state = state
    }

    /// No more files are to be checked: interrupted, nobody reads on, or enough errors.
    var isEnding: Bool {
        if report.context.shouldStop { return true }
        guard let limit = options.failFast ? 1 : options.maxErrors else { return false }
        return report.findings.count { $0.severity != .info && $0.severity != .warning } >= limit
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
            return try check(root.hasSuffix(".blob") ? [.blob(root, nil)] : [.table(root, nil)])
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
        let damage = try openKeys(names)
        let condition = try DirectoryCondition.read(names, fileSystem)
        if let damage, !condition.problems.contains(where: { $0.location?.path == names.keys }) {
            throw damage
        }
        for problem in condition.problems {
            let path = problem.location?.path
            let isManifest = path != names.format && path != names.keys
            report.add(Finding(refusal: problem, isManifest ? .sstManifest : .directoryFile))
        }
        totals.damagedFiles += condition.problems.count
        if condition.isHidden {
            totals.hidden = true
            report.add(.manifestHidden(names))
            return try checkFiles(names.sstDirectory)
        }
        if condition.expectation != nil,
            let missing = try LogExpectation.findMissing(names, fileSystem)
        {
            totals.damagedFiles += 1
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
        try checkContents(directory, names)
        guard !isEnding else { return }
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

    /// What is wrong with KEYS, when it is damaged: the rest is checked as without a key then.
    private func openKeys(_ names: FileNames) throws(StorageError) -> StorageError? {
        do throws(StorageError) {
            try report.context.openKeys(options.key, root: names.root)
            return nil
        } catch  where error.code == .corruption {
            return error
        }
    }

    /// Blob files before tables: references into damaged ones are followed whole.
    private mutating func checkContents(
        _ directory: TableDirectory, _ names: FileNames
    ) throws(StorageError) {
        let blobs = directory.blobs.map { SSTFile.blob($0.path, $0) }
        let tables = directory.tables.map { SSTFile.table($0.path, $0) }
        expect(tables)
        damagedBlobs = []
        try check(blobs, directory, names)
        if isEnding {
            uncheckedFiles += tables.count
        } else {
            expectedFiles -= tables.count
            expectedBytes -= tables.reduce(0) { $0 + ($1.expectedBytes ?? 0) }
            try check(tables, directory, names)
        }
    }

    private mutating func checkFiles(_ directory: String) throws(StorageError) {
        var files: [SSTFile] = []
        for name in try fileSystem.list(directory).sorted() {
            if name.hasSuffix(".sst") { files.append(.table(directory + "/" + name, nil)) }
            if name.hasSuffix(".blob") { files.append(.blob(directory + "/" + name, nil)) }
        }
        try check(files)
    }

    // MARK: - Files

    private mutating func expect(_ files: [SSTFile]) {
        expectedFiles += files.count
        for file in files {
            expectedBytes += file.expectedBytes ?? (try? fileSystem.fileSize(file.path)) ?? 0
        }
    }

    /// Checks files side by side, and reports on them in their order.
    private mutating func check(
        _ files: [SSTFile], _ directory: TableDirectory? = nil, _ names: FileNames? = nil
    ) throws(StorageError) {
        let files = files.filter { !isPassedOver($0) }
        expect(files)
        var check = SSTFileCheck(
            fileSystem: pace.limiting(fileSystem), findingLimit: options.maxFindings, plan: plan)
        if let directory, let names { check.directory = (directory, names, damagedBlobs) }
        let worker = check
        var failure: StorageError?
        var reported = 0
        try OrderedWork<SSTFileCheck.Outcome>.run(
            files.count, threads: options.jobs ?? ToolContext.processorCount,
            makeWorker: { worker.makeWorker(files) },
            idle: {
                showProgress()
                return !report.context.shouldStop || stopReading()
            },
            take: { index, outcome in
                if report.context.shouldStop || outcome.isPartial { return stopReading() }
                progress.end()
                do throws(StorageError) {
                    try add(outcome, of: files[index], names)
                } catch {
                    failure = error
                    return stopReading()
                }
                reported += 1
                showProgress()
                return !isEnding || stopReading()
            })
        progress.end()
        uncheckedFiles += files.count - reported
        if let failure { throw failure }
    }

    /// An earlier run found the file sound, and it is as it was.
    private mutating func isPassedOver(_ file: SSTFile) -> Bool {
        guard let state else { return false }
        if case .table(_, let table) = file {
            // What is said of a table depends on the blob files it refers to, and on what the engine noted.
            guard damagedBlobs.isEmpty, table?.quarantine == nil else { return false }
        }
        guard let known = state.entry(of: file, hasKey: fileSystem.keyring != nil) else {
            return false
        }
        if known.depth.isHidden { totals.hidden = true }
        totals.skippedFiles += 1
        totals.skippedBytes &+= known.identity.byteCount
        return true
    }

    /// Keeps for the next run what became of the file.
    private mutating func keep(_ outcome: SSTFileCheck.Outcome, of file: SSTFile) {
        guard let state else { return }
        guard outcome.isClean else { return state.forget(file) }
        let isHidden = outcome.isEncrypted && fileSystem.keyring == nil
        attempt { () throws(StorageError) in try state.note(file, isHidden: isHidden) }
    }

    /// The check goes on without a state that cannot be written.
    private mutating func attempt(_ work: () throws(StorageError) -> Void) {
        do throws(StorageError) {
            try work()
        } catch {
            report.add(error)
            state = nil
        }
    }

    /// Always false: there is no more work.
    private func stopReading() -> Bool {
        pace.stop()
        return false
    }

    private func showProgress() {
        progress.update(
            bytes: min(pace.checkedBytes, expectedBytes), of: expectedBytes, files: totals.files,
            of: expectedFiles)
    }

    private mutating func add(
        _ outcome: SSTFileCheck.Outcome, of file: SSTFile, _ names: FileNames?
    ) throws(StorageError) {
        totals.files += 1
        if case .table(_, let table?) = file, let reason = table.quarantine {
            reportQuarantine(table, reason)
        }
        switch (outcome, file) {
        case (.table(let result), .table(_, let table)): add(result, file.path, table)
        case (.blob(let result), .blob(_, let blob)):
            if add(result, file.path, blob), let blob { damagedBlobs.insert(blob.number) }
        case (.failed(let error), _):
            totals.damaged += 1
            report.add(error)
        default: try addMissing(file, names)
        }
        keep(outcome, of: file)
    }

    private mutating func addMissing(
        _ file: SSTFile, _ names: FileNames?
    ) throws(StorageError) {
        guard let names else {
            totals.damaged += 1
            return report.add(
                StorageError(
                    .notFound, kind: .user, "There is no such file or directory.",
                    location: .init(path: file.path)))
        }
        // Beside a live server: was it compacted away meanwhile?
        let now = try TableDirectory.read(names, fileSystem)
        switch file {
        case .table(let path, let table):
            guard now.tables.contains(where: { $0.number == table?.number }) else { return }
            report.add(
                Finding(
                    .sstMissing, "MANIFEST names a table that is not there.", file: path,
                    blastRadius: range(table?.expected.smallestKey, table?.expected.largestKey)))
        case .blob(let path, let blob):
            guard now.blobs.contains(where: { $0.number == blob?.number }) else { return }
            if let blob { damagedBlobs.insert(blob.number) }
            report.add(
                Finding(
                    .blobMissing, "MANIFEST names a blob file that is not there.", file: path,
                    blastRadius: "\(blob?.liveRecords ?? 0) large values"))
        }
        totals.damaged += 1
    }

    func range(_ lower: [UInt8]?, _ upper: [UInt8]?) -> String? {
        options.keys.range(lower, upper)
    }

    mutating func conclude() {
        showProgress()
        progress.finish()
        totals.report(
            report, isAnythingRead: isAnythingRead || totals.tables + totals.blobs > 0,
            isQuick: options.quick)
        var unchecked = "\(uncheckedFiles) files"
        if uncheckedPaths > 0 { unchecked += " and \(uncheckedPaths) paths" }
        let isComplete = uncheckedFiles + uncheckedPaths == 0 && !report.context.isInterrupted
        concludeState(isComplete: isComplete)
        if !isComplete { report.line("ended early: \(unchecked) were not checked") }
        report.set("depth", .string(options.quick ? "quick" : "deep"))
        report.set("complete", .bool(isComplete))
        report.set("unchecked_files", .count(uncheckedFiles))
        report.set("unchecked_paths", .count(uncheckedPaths))
        if options.histograms, let moment = plan.histogramsAsOf {
            SSTHistogramReport(totals.histograms, asOf: moment).write(to: report)
        }
    }

    private mutating func concludeState(isComplete: Bool) {
        guard let path = options.state else { return }
        if totals.skippedFiles > 0 {
            report.line(
                "passed over: \(totals.skippedFiles) files of \(totals.skippedBytes) bytes, which "
                    + "'\(path)' knows to be sound")
        }
        report.set("skipped_files", .count(totals.skippedFiles))
        report.set("skipped_bytes", .unsigned(totals.skippedBytes))
        guard let state else { return }
        attempt { () throws(StorageError) in
            if isComplete { try state.remove() } else { try state.save() }
        }
    }
}
