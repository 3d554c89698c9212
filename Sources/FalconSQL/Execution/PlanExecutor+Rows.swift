import FalconSchema
import FalconStorage

extension PlanExecutor {
    /// Whether the statement sees a row at `key`; a large one is not read.
    func hasRow(_ key: UnsafeRawBufferPointer) throws(SQLError) -> Bool {
        if overlay != nil {
            switch try transaction.written(key, below: ordinal) {
            case .absent: break
            case .deleted: return false
            case .value: return true
            }
        }
        transaction.serializable?.reads.note(key)
        let timestamp = readTimestamp
        return try storage { () throws(StorageError) in
            try engine.visibleCommit(of: key, at: timestamp, mayWait: transaction.mayWait) != nil
        }
    }
}
