/// What MANIFEST vouches for in the log. The log by itself cannot tell that its newest segments are
/// missing: nothing in the older ones names them. MANIFEST does:
///
/// - The log was synced up to the *flushed LSN* before an edit named it.
/// - The segment that begins an incarnation is durable before the MANIFEST of that incarnation, and
///   the last segment is never released: one of that incarnation, or of a later one, is always there.
/// - Each *new segment* is noted soon after it entered service, and so is the *end* of a log that was
///   closed whole.
///
/// A log that falls short of either must not be continued: LSNs would be given out again below what
/// tables hold, and the recovery after that one would pass over the commits under them.
public struct LogExpectation: Sendable {
    /// The manifest that says it.
    public let manifestPath: String
    /// Commits that end at or before it are in tables.
    public let flushedLSN: LSN
    let incarnation: Incarnation?
    /// The log has this segment, or a later one.
    let segment: WALSegmentNumber
    /// Where the log was closed; zero when it was not.
    let sealedEnd: LSN

    init(_ manifest: ManifestContents, path: String) {
        var flushed = LSN.zero
        var incarnation: Incarnation?
        var segment = WALSegmentNumber(0)
        var sealedEnd = LSN.zero
        for edit in manifest.edits {
            flushed = max(flushed, edit.flushedLSN ?? .zero)
            incarnation = edit.incarnation ?? incarnation
            segment = max(segment, edit.logSegment ?? segment)
            sealedEnd = max(sealedEnd, edit.logEnd ?? .zero)
        }
        manifestPath = path
        flushedLSN = flushed
        self.incarnation = incarnation
        self.segment = segment
        self.sealedEnd = sealedEnd
    }

    /// What the live manifest of a directory says; nil without CURRENT.
    public static func read(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> LogExpectation? {
        guard
            let manifest = try ManifestReader.readLive(names, fileSystem, forWriting: false)
        else { return nil }
        return LogExpectation(manifest, path: names.manifest(manifest.number))
    }

    /// The same; nil where the manifest cannot be read, too.
    public static func readIfSound(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> LogExpectation? {
        do throws(StorageError) {
            return try read(names, fileSystem)
        } catch  where error.code == .corruption || error.code == .unsupportedFormat {
            return nil
        }
    }

    /// What is missing at the end of the log that `reader` has read to its end; nil when nothing is.
    /// Beside a live writer `self` must have been read before the log.
    public func missingEnd(of reader: WALReader) throws(StorageError) -> WALDamage? {
        guard let last = reader.summaries.last else { return noSegments(reader) }
        // Damage that was found ends the log by itself.
        if reader.verdict.isCorruption { return nil }
        let end = reader.verdict.end
        var lacks: [String] = []
        if end < flushedLSN { lacks.append("before \(flushedLSN), where the tables end") }
        if end < sealedEnd { lacks.append("before \(sealedEnd), where it was closed") }
        var isSegmentMissing = last.number < segment
        if isSegmentMissing {
            lacks.append("in segment \(last.number), though there was segment \(segment)")
        }
        if let incarnation, try !holds(incarnation, reader) {
            isSegmentMissing = true
            lacks.append("and holds no segment of incarnation \(incarnation.number)")
        }
        if lacks.isEmpty { return nil }
        let reason =
            (["the log ends at \(end)"] + lacks).joined(separator: ", ")
            + " by \(VFSPath.name(of: manifestPath))"
        // Only a sealed segment has a successor in the same incarnation.
        if isSegmentMissing || last.isSealed {
            let missing = last.number.successor
            return WALDamage(
                kind: .missingSegment,
                path: reader.directory + "/" + FileNames.walSegmentName(missing), offset: 0,
                reason: reason + "; segment \(missing) is missing", goodUntil: end)
        }
        return WALDamage(
            kind: .zeroed, path: last.path, offset: last.usedBytes,
            reason: reason + "; the end of segment \(last.number) is missing", goodUntil: end)
    }

    /// What is missing before the first segment of the log; nil when nothing is. Beside a live writer
    /// `self` must have been read after the log: segments go once a manifest says so.
    public func missingBeginning(of reader: WALReader) -> WALDamage? {
        guard let oldest = reader.summaries.first else { return noSegments(reader) }
        guard let first = reader.firstLSN else {
            let name = FileNames.walSegmentName(reader.firstSegment ?? oldest.number)
            return WALDamage(
                kind: .badHeader, path: reader.directory + "/" + name, offset: 0,
                reason: "the header of the oldest segment cannot be read", goodUntil: .zero)
        }
        let needed = max(flushedLSN, WALContinuation.beginning.firstLSN)
        guard first > needed else { return nil }
        let missing = WALSegmentNumber(max(oldest.number.rawValue, 2) - 1)
        return WALDamage(
            kind: .missingSegment,
            path: reader.directory + "/" + FileNames.walSegmentName(missing), offset: 0,
            reason: "the log begins at \(first), after \(needed), where the tables end by "
                + "\(VFSPath.name(of: manifestPath)); segment \(missing) is missing",
            goodUntil: needed)
    }

    /// What is missing at either end of the log that `reader` has read to its end.
    func missing(of reader: WALReader) throws(StorageError) -> WALDamage? {
        if let damage = try missingEnd(of: reader) { return damage }
        return missingBeginning(of: reader)
    }

    /// Reads the log of `names` from where the tables end, and says what it lacks. Other damage is not
    /// this function's business.
    public static func findMissing(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> WALDamage? {
        guard let before = try readIfSound(names, fileSystem) else { return nil }
        guard try fileSystem.exists(names.walDirectory) else { return before.noLog(names) }
        let reader = try WALReader(
            directory: names.walDirectory, fileSystem: fileSystem, from: before.flushedLSN,
            mode: fileSystem.isLocked(names.lock) ? .follow : .strict)
        while try reader.next() != nil {}
        if reader.verdict.isCorruption { return nil }
        if let damage = try before.missingEnd(of: reader) { return damage }
        return try readIfSound(names, fileSystem)?.missingBeginning(of: reader)
    }

    /// There is not even a directory for the log.
    public func noLog(_ names: FileNames) -> WALDamage {
        WALDamage(
            kind: .missingSegment, path: names.walDirectory, offset: 0,
            reason: "the directory has a manifest (\(VFSPath.name(of: manifestPath))) but no log",
            goodUntil: .zero)
    }

    private func noSegments(_ reader: WALReader) -> WALDamage {
        WALDamage(
            kind: .missingSegment, path: reader.directory, offset: 0,
            reason: "the directory has a manifest (\(VFSPath.name(of: manifestPath))) but no log",
            goodUntil: .zero)
    }

    /// A restored directory's manifest keeps its source's greatest number and names the branch of its
    /// own log: either will do.
    private func holds(
        _ incarnation: Incarnation, _ reader: WALReader
    ) throws(StorageError) -> Bool {
        func fits(_ header: WALSegmentHeader) -> Bool {
            header.identity.incarnation >= incarnation.number
                || header.identity.branch == incarnation.branch
        }
        for summary in reader.summaries {
            if let header = summary.header, fits(header) { return true }
        }
        for name in try reader.fileSystem.list(reader.directory) {
            guard case .walSegment = FileNames.parse(name) else { continue }
            do throws(StorageError) {
                let path = reader.directory + "/" + name
                if case .header(let header) = try WALDirectory.readHeader(path, reader.fileSystem),
                    fits(header)
                {
                    return true
                }
            } catch  where error.code == .notFound {
                // A live writer released it meanwhile.
            }
        }
        return false
    }
}
