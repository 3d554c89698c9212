/// What an advisory lock is on: one 64-bit number or two 32-bit ones, in a database.
struct AdvisoryKey: Sendable, Equatable {
    /// The database's OID.
    var database: UInt32
    /// pg_locks' classid: the first number, or the high half of the only one.
    var high: UInt32
    /// pg_locks' objid.
    var low: UInt32
    /// pg_locks' objsubid: how many numbers make the key.
    var count: UInt16

    init(database: UInt32, high: UInt32, low: UInt32, count: UInt16) {
        self.database = database
        self.high = high
        self.low = low
        self.count = count
    }

    init(database: UInt32, _ key: Int64) {
        self.database = database
        high = UInt32(truncatingIfNeeded: key >> 32)
        low = UInt32(truncatingIfNeeded: key)
        count = 1
    }

    init(database: UInt32, _ first: Int32, _ second: Int32) {
        self.database = database
        high = UInt32(bitPattern: first)
        low = UInt32(bitPattern: second)
        count = 2
    }

    /// Its key in the lock table; never 0.
    var lockKey: UInt64 {
        let key = LockTable.mix(
            UInt64(high) << 32 | UInt64(low),
            0xA0A0_0000_0000_0000 ^ UInt64(count) << 32 ^ UInt64(database))
        return key == 0 ? 1 : key
    }
}
