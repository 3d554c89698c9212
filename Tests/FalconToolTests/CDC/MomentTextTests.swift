import FalconChanges
import Testing

struct MomentTextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"),
            (946_684_799_999_999, "1999-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_769_903_999_500_000, "2026-01-31T23:59:59.500000Z"),
            (253_402_300_799_000_000, "9999-12-31T23:59:59.000000Z"),
            (253_402_300_800_000_000, "10000-01-01T00:00:00.000000Z"),
        ] as [(UInt64, String)])
    func aMomentHasMicrosecondsAndIsInUTC(_ micros: UInt64, _ text: String) {
        #expect(MomentText.utc(micros) == text)
    }
}
