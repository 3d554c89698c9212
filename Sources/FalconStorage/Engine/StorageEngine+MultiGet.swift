extension StorageEngine {
    /// The values of `keys` visible at `timestamp`, copied, in the order asked; nil where there is
    /// none. All are read from one state of the engine; keys in ascending order cost the least, since
    /// neighbours share blocks. Throws what the first failing read throws, and no partial answer.
    /// - Parameter mayWait: See ``ReadOptions/mayWait``.
    public func multiGet(
        _ keys: [[UInt8]], at timestamp: Timestamp = .max, mayWait: Bool = true
    ) throws(StorageError) -> [[UInt8]?] {
        let borrow = cell.borrow()
        defer { cell.release(borrow) }
        var values: [[UInt8]?] = []
        values.reserveCapacity(keys.count)
        for key in keys {
            var found: Result<[UInt8]?, StorageError> = .success(nil)
            key.withUnsafeBytes { bytes in
                do throws(StorageError) {
                    var pin = BlockPin(mayWait: mayWait)
                    if case .value(_, let value) = try lookUp(bytes, timestamp, borrow, &pin) {
                        found = .success(Array(value))
                    }
                } catch {
                    found = .failure(error)
                }
            }
            values.append(try found.get())
        }
        return values
    }
}
