import FalconSchema
import FalconStorage

extension TableDescriptor {
    /// Where its rows and its indexes' entries are.
    var storages: Set<StorageID> { Set(indexes.map(\.storageID)).union([storageID]) }
}
