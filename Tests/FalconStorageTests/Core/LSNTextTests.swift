import Testing

@testable import FalconStorage

@Suite struct LSNTextTests {
    @Test(
        arguments: [
            (0, "0/00000000"), (8, "0/00000008"), (0xABC_DEF0, "0/0ABCDEF0"),
            (0xFFFF_FFFF, "0/FFFFFFFF"), (0x1_0000_0000, "1/00000000"),
            (0xF_0000_0001, "F/00000001"),
            (0x10_0000_0000, "10/00000000"), (0x1234_5678_9ABC_DEF0, "12345678/9ABCDEF0"),
            (.max, "FFFFFFFF/FFFFFFFF"),
        ] as [(UInt64, String)])
    func itIsShownAndReadAsPostgreSQLDoes(_ value: UInt64, _ text: String) {
        #expect(LSN(value).description == text)
        #expect(LSN(text: text) == LSN(value))
    }
}
