import Testing

@testable import FalconStorage

/// What a repository keeps where clocks were wrong.
struct RetentionDoubtTests {
    /// Day 14's backup says day 3: the clock was set back for some days.
    private func setBack() -> ForgedRepository {
        var repository = ForgedRepository()
        repository.log(0..<12)
        repository.log(12..<16, after: (1, 11)) { $0 - 11 }
        repository.log(16..<20, after: (1, 15))
        for day in [2, 6, 10] { repository.backup("b\(day)", day: day) }
        repository.backup("back", day: 14, ended: 3.5, newest: 12)
        repository.backup("b18", day: 18)
        return repository
    }

    @Test func theLogSaysWhichIsNewer() throws {
        let retention = try setBack().retention(keep: 2)
        #expect(retention.kept == ["b18", "back"])
        #expect(
            retention.notices == [
                .clockWentBack(
                    id: "back", endedMicros: ForgedRepository.moment(3.5), earlier: "b10",
                    earlierEndedMicros: ForgedRepository.moment(10.5))
            ])
        #expect(retention.runs == ["1: 0-13 remove", "1: 14-19 keep"])
    }

    @Test func aWindowNeverBeginsWithABackupOfUnknownAge() throws {
        let retention = try setBack().retention(days: 7)
        #expect(retention.kept == ["b18", "back", "b10"])
        #expect(retention.reasons("back") == [.ageUnknown])
        #expect(retention.reasons("b10") == [.reachesIntoWindow(branch: nil)])
        // Once a later one is old enough it goes as others do.
        let later = try setBack().retention(days: 1, now: 25)
        #expect(later.kept == ["b18"])
        #expect(later.reasons("back") == [.beforeWindow(base: "b18")])
    }

    @Test func oneFromTheFutureDisplacesNone() throws {
        var repository = ForgedRepository()
        repository.log(0..<20)
        repository.backup("b2", day: 2)
        repository.backup("future", day: 6, ended: 4000, newest: 6.5)
        repository.backup("b10", day: 10)
        repository.backup("b18", day: 18)
        let byNumber = try repository.retention(keep: 2)
        #expect(byNumber.kept == ["b18", "b10"])
        #expect(
            byNumber.notices == [
                .backupFromFuture(id: "future", endedMicros: ForgedRepository.moment(4000))
            ])
        let byTime = try repository.retention(days: 7)
        #expect(byTime.kept == ["b18", "b10"])
        // The one before it carries the window, and the one from the future stays beside it.
        let wide = try repository.retention(days: 12)
        #expect(wide.kept == ["b18", "b10", "future", "b2"])
        #expect(wide.reasons("future") == [.ageUnknown])
        #expect(wide.reasons("b2") == [.reachesIntoWindow(branch: nil)])
    }

    @Test func theNewestStaysWhateverItsTime() throws {
        var repository = ForgedRepository()
        repository.log(0..<20)
        repository.backup("b2", day: 2)
        repository.backup("future", day: 18, ended: 4000, newest: 18.5)
        #expect(try repository.retention(keep: 1).kept == ["future"])
        let byTime = try repository.retention(days: 7)
        #expect(byTime.kept == ["future", "b2"])
        #expect(byTime.reasons("future") == [.ageUnknown])
    }

    @Test func aClockThatIsBehindKeepsMore() throws {
        var repository = ForgedRepository()
        repository.log(0..<20)
        for day in [2, 6, 10, 14, 18] { repository.backup("b\(day)", day: day) }
        // This machine believes in day 12.
        let retention = try repository.retention(days: 7, now: 12)
        #expect(retention.kept == ["b18", "b14", "b10", "b6", "b2"])
        #expect(
            retention.notices.contains(
                .logFromFuture(archivedMicros: ForgedRepository.moment(20))))
        #expect(retention.reasons("b14") == [.ageUnknown])
        #expect(retention.reasons("b2") == [.reachesIntoWindow(branch: nil)])
        // Seconds are no matter.
        let close = try repository.retention(days: 7, now: 20 - 5.0 / 86_400)
        #expect(close.notices.isEmpty)
    }

    /// Two servers archive here: neither's line is left without a base, its restarts included.
    @Test func eachLineOfTwoServersKeepsItsLastBase() throws {
        var repository = ForgedRepository()
        repository.log(0..<16)
        repository.log(16..<18, branch: 3, after: (1, 15))
        repository.log(4..<19, branch: 2, after: (1, 3)) { $0 + 0.5 }
        repository.backup("shared", day: 1)
        repository.backup("other8", day: 8)
        repository.backup("other12", day: 12)
        repository.backup("newest15", day: 15, branch: 2)
        repository.backup("newest17", day: 17, branch: 2)
        let retention = try repository.retention(keep: 1)
        #expect(retention.kept.sorted() == ["newest17", "other12"])
        #expect(retention.reasons("newest17") == [.amongNewest(1)])
        #expect(retention.reasons("other12") == [.leadsToBranch(ForgedRepository.branch(3))])
        #expect(retention.runs.contains("3: 16-17 keep"), "\(retention.runs)")
        // A window gives up what ended before it.
        #expect(try repository.retention(days: 1).kept == ["newest17"])
    }

    /// Log that no backup is known to need goes by its age; where that is in doubt it stays.
    @Test func logOfUnknownAgeStays() throws {
        var repository = ForgedRepository()
        repository.log(0..<20)
        repository.backup("b10", day: 10)
        repository.log(30..<33, branch: 2, after: (2, 29)) { $0 - 29 }
        #expect(
            try repository.retention(keep: 1).runs
                == ["1: 0-9 remove", "1: 10-19 keep", "2: 30-32 remove"])
        repository.backup("future", day: 12, ended: 4000, newest: 12.5)
        let doubtful = try repository.retention(keep: 2)
        #expect(doubtful.runs == ["1: 0-9 remove", "1: 10-19 keep", "2: 30-32 keep"])
        #expect(doubtful.log.last?.reason == .ageUnknown)
    }
}
