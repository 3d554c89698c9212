extension StorageEngine {
    /// What the stores take for the time, in microseconds since 1970: the wall clock as commits follow it.
    ///
    /// Never before the newest timestamp: what is noted while the clock is behind would be old, and dropped, as soon as
    /// it is right again. And a jump ahead, which commits do not follow until it is confirmed, must not end what is kept
    /// for a time.
    var storeMicros: UInt64 {
        let wall = writeSide?.pipeline.trustedWallMicros() ?? environment.clock.wallMicros()
        return max(wall, publishedTimestamp.microsSince1970)
    }
}
