import FalconSchema
import FalconStorage

extension Transaction {
    /// An iterator at the first key of `range` as of `timestamp`, own writes included. The caller holds the snapshot.
    func iterate(
        _ range: KeyRange, at timestamp: Timestamp, _ options: ReadOptions = ReadOptions()
    ) throws(SQLError) -> RangeIterator {
        let below = batch.nextOrdinal
        return try storage { () throws(StorageError) in
            let iterator = try engine.makeIterator(
                range, at: timestamp, overlay: below == 0 ? nil : batch, below: below,
                options: options)
            try iterator.seekToFirst()
            return iterator
        }
    }
}
