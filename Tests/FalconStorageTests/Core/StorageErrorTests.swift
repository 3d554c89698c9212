import FalconStorage
import Testing

@Suite struct StorageErrorTests {
    @Test func sentencesAreJoinedByOneFullStop() {
        func text(_ message: String, cause: String? = nil) -> String {
            StorageError(.io, kind: .transient, message, cause: cause, hint: "Try again.")
                .description
        }
        #expect(text("It is so.") == "io: It is so. Try again.")
        #expect(text("It is so") == "io: It is so. Try again.")
        #expect(text("It is so.", cause: "why") == "io: It is so. (cause: why). Try again.")
    }
}
