/// The purposes of random numbers, as the first number of a generator's path: no two purposes may
/// share one.
enum RandomStream {
  /// Dropout masks: followed by the step and the part's index.
  static let dropout: UInt64 = 0x64_72_6F_70
}
