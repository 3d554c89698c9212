/// The last phase of recovery: what was applied is what was scanned, and each table file is what MANIFEST
/// says, as far as size and ends tell.
struct RecoveryValidation {
    let names: FileNames
    let progress: RecoveryProgress
    /// For what is recorded of damaged tables; nil leaves them alone: beside a live writer a name may be gone for a
    /// good reason, and what can be read is open by now.
    let wallMicros: UInt64?

    /// Tables whose ends are read: of a directory of many, the newest. The others' are checked when they are
    /// first needed, as every table's index and blocks are.
    static let checkedEnds = 512

    func check(_ state: RecoveredState, against scan: LogScan) throws(StorageError) {
        let files = state.version.levels.flatMap(\.files)
        progress.begin(
            .validate, totalBytes: files.reduce(0) { $0 &+ $1.metadata.byteCount },
            files: files.count)
        try checkLog(state, scan)
        var bytes: UInt64 = 0
        for (index, file) in files.enumerated() {
            try check(file, readsEnds: index < Self.checkedEnds)
            bytes &+= file.metadata.byteCount
            progress.advance(doneBytes: bytes, records: UInt64(scan.commits))
        }
        try checkBlobs(state.version.blobs)
        progress.end(records: UInt64(scan.commits))
    }

    /// The replay has counted commits and operations of each slice; here are the ends.
    private func checkLog(_ state: RecoveredState, _ scan: LogScan) throws(StorageError) {
        let last = scan.slices.last
        let applied = state.layers.first?.lastLSN ?? state.version.flushedLSN
        let timestamps = state.layers.map(\.lastTimestamp).max() ?? .zero
        guard last == nil || applied == last?.end, timestamps <= state.lastCommit,
            state.endLSN == scan.endLSN
        else {
            throw StorageError(
                .internalError, kind: .bug,
                "The replay of the log ended at \(applied), not at \(scan.endLSN).",
                location: .init(path: names.walDirectory),
                hint: "Report this with the output of wal-inspect.")
        }
    }

    /// Puts a quarantined table back when it is sound, else says what of it is damaged by now.
    private func recheck(_ file: TableFile, _ record: QuarantineRecord) throws(StorageError) {
        guard let damage = try file.survey() else { return file.setQuarantine(nil) }
        guard damage.isWhole != record.isWhole || damage.losses != record.losses else { return }
        file.setQuarantine(
            QuarantineRecord(
                damage, file: file.number, finder: record.finder,
                wallMicros: record.foundWallMicros))
    }

    /// A damaged table is taken out of service; one that was and is sound again comes back.
    private func check(_ file: TableFile, readsEnds: Bool) throws(StorageError) {
        guard let wallMicros else { return }
        do throws(StorageError) {
            if let record = file.quarantine {
                return try recheck(file, record)
            }
            try file.checkPresence(readsEnds: readsEnds)
        } catch  where error.code == .corruption || error.code == .notFound {
            file.setQuarantine(
                QuarantineRecord(
                    error, file: file.number, finder: .open, wallMicros: wallMicros))
        } catch {
            // A device that does not answer now may answer later: whoever needs the table is told.
        }
    }
}
