/// What random numbers are for, as the first number of a generator's path: no two purposes may share
/// one.
enum StreamPurpose {
  /// What dropout drops: the step, the place of the part.
  static let dropout: UInt64 = 0x64_72_6F_70
}
