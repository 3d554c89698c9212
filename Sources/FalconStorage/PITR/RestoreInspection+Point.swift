extension RestoreInspection.LastCommit {
    init(_ point: RestorePoint) {
        self.init(
            lsn: point.lsn, endLSN: point.endLSN, timestamp: point.timestamp,
            transaction: point.transaction, operationCount: point.operationCount)
    }
}

extension RestoreInspection {
    /// The newest commit that is in; nil: none of those in the log is.
    public var last: RestorePoint? {
        lastCommit.map {
            RestorePoint(
                lsn: $0.lsn, endLSN: $0.endLSN, timestamp: $0.timestamp,
                transaction: $0.transaction, operationCount: $0.operationCount)
        }
    }

    /// The number of the log's last segment.
    static func lastSegment(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) -> WALSegmentNumber {
        var last = WALSegmentNumber(0)
        for name in try fileSystem.list(names.walDirectory) {
            if case .walSegment(let number) = FileNames.parse(name) { last = max(last, number) }
        }
        return last
    }
}
