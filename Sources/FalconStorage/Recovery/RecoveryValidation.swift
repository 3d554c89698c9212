/// The last phase of recovery: what was applied is what was scanned, and each table file is what MANIFEST
/// says.
struct RecoveryValidation {
    let names: FileNames
    let fileSystem: any FileSystem
    let progress: RecoveryProgress

    func check(_ state: RecoveredState, against scan: LogScan) throws(StorageError) {
        let files = state.version.levels.flatMap(\.files)
        progress.begin(
            .validate, totalBytes: files.reduce(0) { $0 &+ $1.metadata.byteCount },
            files: files.count)
        try checkLog(state, scan)
        var bytes: UInt64 = 0
        for file in files {
            try check(file.metadata)
            bytes &+= file.metadata.byteCount
            progress.advance(doneBytes: bytes, records: UInt64(scan.commits))
        }
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

    private func check(_ file: FileMetadata) throws(StorageError) {
        let path = names.table(file.number)
        let size = try fileSystem.fileSize(path)
        guard size == file.byteCount else {
            throw .corruption(
                "The table has \(size) bytes; MANIFEST says \(file.byteCount).", path: path,
                offset: min(size, file.byteCount),
                hint: "Restore it from a backup; sst-verify lists what it held.")
        }
        let opened = try fileSystem.open(path, .read)
        do throws(StorageError) {
            try TableReader.checkEnds(of: opened, uid: file.uid, size: size)
        } catch {
            try? opened.close()
            throw error
        }
        try opened.close()
    }
}
