import FalconStorage

/// Reads the whole log, past damage, and judges it.
extension WALInspect {
    func inspect(_ place: DataDirectory, _ report: ReportWriter) throws(StorageError) {
        let environment = report.context.environment
        let fileSystem = environment.fileSystem
        // Before the log: a live writer's manifest never runs ahead of it.
        var condition =
            place.isLogAlone
            ? DirectoryCondition(names: place.names)
            : try DirectoryCondition.read(place.names, fileSystem)
        guard try fileSystem.exists(place.wal) else {
            return concludeWithoutLog(condition, place, report)
        }
        let reader = try WALReader(
            directory: place.wal, fileSystem: fileSystem, mode: .tolerant)
        reader.skipsEncrypted = true
        reader.shard = condition.shard
        var inspection = WALInspection(
            report, contents, filter, flushedLSN: condition.expectation?.flushedLSN ?? .zero)
        let began = environment.clock.monotonicNanos()
        let isPartial = try read(reader, &inspection, place, report)
        let nanos = environment.clock.monotonicNanos() &- began
        if reader.summaries.isEmpty { return concludeWithoutLog(condition, place, report) }
        let survey = inspection.survey
        for damage in reader.damages where !condition.tells(damage) {
            report.add(try Finding(damage, fileSystem))
        }
        if survey.hasCommits { condition.noteCommits() }
        for problem in condition.problems { report.add(Finding(refusal: problem)) }
        if condition.isHidden { report.add(.manifestHidden(place.names)) }
        let missing = isPartial ? nil : try missingLog(condition, reader, place, fileSystem)
        if let missing { report.add(Finding(missingLog: missing)) }
        if !isPartial {
            for problem in survey.findings() { report.add(problem) }
        }
        if let tail = try Finding(tornTailOf: reader, fileSystem) { report.add(tail) }
        if inspection.contents.records { report.line() }
        reportSegments(reader, report)
        reportHidden(reader, inspection, report)
        reportCounts(survey, report)
        if let statistics = inspection.statistics {
            statistics.end(reader.syncedLSN)
            statistics.report(report, inspection.names, inspection.contents.printer, top: top)
            reportSpeed(reader, nanos, report)
        }
        reportReach(reader, survey, condition, report)
        var forecast: RecoveryForecast?
        if reader.verdict.isCorruption || survey.firstDoubt != nil
            || !condition.foreignSegments.isEmpty
        {
            forecast = try RecoveryForecast(
                directory: place.wal, from: survey.flushedLSN, shard: condition.shard,
                expectation: condition.expectation, environment: environment)
        }
        // A segment of another database is refused where recovery reads it.
        let problem =
            condition.refusal ?? (forecast?.refusal == nil ? nil : condition.problems.first)
        if let problem, missing == nil {
            report.line("recovery refuses the directory: \(problem.message)")
        }
        WALOutcome(
            reader, survey, forecast, refusedFor: problem, missing: missing
        ).report(report)
    }

    /// Without a key chunks are checked and what they hold is not known.
    private func reportHidden(
        _ reader: WALReader, _ inspection: WALInspection, _ report: ReportWriter
    ) {
        let chunks = reader.summaries.reduce(0) { $0 + $1.hiddenChunkCount }
        guard chunks > 0 else { return }
        report.set("chunks_checked_without_key", .count(chunks))
        if inspection.contents.records || inspection.statistics != nil {
            report.add(
                Finding(
                    .keyMissing,
                    "\(chunks) chunks are encrypted: their records cannot be shown without a key."))
        } else {
            report.line(
                "\(chunks) encrypted chunks were checked without a key: structure and checksums only"
            )
        }
    }

    /// True when it ended early, because nobody reads on or somebody asked: what follows is not known
    /// to be missing.
    private func read(
        _ reader: WALReader, _ inspection: inout WALInspection, _ place: DataDirectory,
        _ report: ReportWriter
    ) throws(StorageError) -> Bool {
        let progress = ToolProgress("wal-inspect", report)
        defer { progress.finish() }
        let total = try totalBytes(place, report.context.fileSystem)
        var seen: UInt64 = 0
        var isFirst = true
        while let record = try reader.next() {
            if isFirst {
                isFirst = false
                try inspection.prepareNames(place, reader)
            }
            seen &+= record.end.rawValue &- record.lsn.rawValue
            if seen >= 1 << 20 {
                seen = 0
                let done = reader.summaries.dropLast().reduce(0) { $0 &+ $1.fileBytes }
                progress.update(done &+ reader.chunkOffset, of: total, unit: "bytes of log")
                if report.context.shouldStop { return true }
            }
            inspection.take(record, reader)
        }
        return false
    }

    private func totalBytes(
        _ place: DataDirectory, _ fileSystem: any FileSystem
    ) throws(StorageError) -> UInt64 {
        var total: UInt64 = 0
        for name in try fileSystem.list(place.wal) {
            guard case .walSegment = FileNames.parse(name) else { continue }
            do throws(StorageError) {
                total &+= try fileSystem.fileSize(place.wal + "/" + name)
            } catch  where error.code == .notFound {
                // A live writer released it meanwhile.
            }
        }
        return total
    }

    private func missingLog(
        _ condition: DirectoryCondition, _ reader: WALReader, _ place: DataDirectory,
        _ fileSystem: any FileSystem
    ) throws(StorageError) -> WALDamage? {
        guard let expectation = condition.expectation else { return nil }
        if let missing = try expectation.missingEnd(of: reader) { return missing }
        guard !reader.verdict.isCorruption else { return nil }
        // After the log: segments go once a manifest says so.
        return try LogExpectation.readIfSound(place.names, fileSystem)?
            .missingBeginning(of: reader)
    }

    private func concludeWithoutLog(
        _ condition: DirectoryCondition, _ place: DataDirectory, _ report: ReportWriter
    ) {
        for problem in condition.problems { report.add(Finding(refusal: problem)) }
        if let expectation = condition.expectation {
            report.add(Finding(missingLog: expectation.noLog(place.names)))
        } else if condition.isHidden {
            report.add(
                Finding(
                    .logMissing, "The directory has an encrypted MANIFEST and no log.",
                    file: place.wal))
        } else if condition.problems.isEmpty {
            report.add(Finding(.walEmpty, "There are no WAL segments in '\(place.wal)'."))
        }
    }
}

// MARK: - What there is

extension WALInspect {
    private func reportSegments(_ reader: WALReader, _ report: ReportWriter) {
        let chain = WALChain(reader.summaries)
        report.line(WALSegmentText.heading)
        var rows: [JSONValue] = []
        for (summary, link) in zip(reader.summaries, chain.links) {
            report.line(WALSegmentText.line(summary, link))
            rows.append(.object(WALSegmentText.fields(summary, link)))
        }
        report.line(chain.text)
        report.set("segments", .array(rows))
        report.set("chain_broken", .bool(chain.isBroken))
        report.line()
    }

    private func reportCounts(_ survey: WALSurvey, _ report: ReportWriter) {
        var tags: [(String, JSONValue)] = []
        for (tag, tally) in survey.kinds {
            report.line("\(tag): \(tally.count) records, \(tally.bytes) bytes")
            tags.append(
                (
                    tag.description,
                    .object([("count", .count(tally.count)), ("bytes", .unsigned(tally.bytes))])
                ))
        }
        report.set("records_by_kind", .object(tags))
        report.set("operations", .count(survey.operationCount))
        report.line()
    }

    private func reportSpeed(_ reader: WALReader, _ nanos: UInt64, _ report: ReportWriter) {
        let bytes = reader.summaries.reduce(0) { $0 &+ $1.usedBytes }
        report.set("read_bytes", .unsigned(bytes))
        report.set("read_micros", .unsigned(nanos / 1000))
        // Bytes per microsecond are MB/s.
        let rate = nanos < 1000 ? "" : ", \(bytes / (nanos / 1000)) MB/s"
        report.line("read \(bytes) bytes of log in \(nanos / 1_000_000) ms\(rate)")
        report.line()
    }

    private func reportReach(
        _ reader: WALReader, _ survey: WALSurvey, _ condition: DirectoryCondition,
        _ report: ReportWriter
    ) {
        let last = survey.reach
        report.set("first_lsn", .text(reader.firstLSN))
        report.set("synced_lsn", .text(reader.syncedLSN))
        report.set("committed_lsn", .text(reader.committedLSN))
        report.set("first_commit_time", .text(survey.firstWall.map { ToolTime.format($0) }))
        report.set("last_commit_time", .text(last.wallMicros.map { ToolTime.format($0) }))
        report.set("last_transaction", last.transaction.map { .unsigned($0) } ?? .null)
        report.set("last_timestamp", .text(last.timestamp))
        if let first = survey.firstWall, let wall = last.wallMicros {
            report.line("commits from \(ToolTime.format(first)) to \(ToolTime.format(wall))")
        }
        report.line(
            "proven synced up to \(reader.syncedLSN), published up to \(reader.committedLSN)")
        guard let expectation = condition.expectation else { return }
        report.line(
            "\(VFSPath.name(of: expectation.manifestPath)): tables end at "
                + "\(expectation.flushedLSN)")
        report.set("manifest", .string(expectation.manifestPath))
        report.set("flushed_lsn", .text(expectation.flushedLSN))
    }
}
