import Testing

@testable import FalconStorage

/// Retention goes by the time of commits, whatever the system's clock does.
@Suite struct RetentionClockTests {
    private func fixture() throws -> EngineFixture {
        var options = EngineOptions.small
        options.versionRetentionMicros = 60_000_000
        options.closedTimestampMicros = 0
        return try EngineFixture(options: options)
    }

    @Test func aClockThatJumpsAheadDoesNotEndRetention() throws {
        let fixture = try fixture()
        let old = try fixture.put("a", "old")
        let wall = fixture.clock.wallMicros()
        fixture.clock.setWall(micros: wall + 86_400_000_000)
        try fixture.put("a", "new")
        try fixture.engine.compact()
        #expect(fixture.engine.statistics().clockJumpPending)
        #expect(try fixture.get("a", at: old.timestamp) == "old")
        fixture.engine.confirmClockJump()
        try fixture.put("a", "newest")
        try fixture.engine.compact()
        #expect(throws: StorageError.self) { try fixture.get("a", at: old.timestamp) }
    }

    @Test func aClockThatStepsBackKeepsWhatIsThere() throws {
        let fixture = try fixture()
        let old = try fixture.put("a", "old")
        fixture.clock.setWall(micros: fixture.clock.wallMicros() - 3_600_000_000)
        let new = try fixture.put("a", "new")
        #expect(new.timestamp > old.timestamp)
        try fixture.engine.compact()
        #expect(try fixture.get("a", at: old.timestamp) == "old")
        #expect(try fixture.get("a") == "new")
    }
}
