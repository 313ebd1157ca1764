internal import AviaryGraph

extension OperationRow {
  package static let padToMultiple: [OperationRow] = [
    .init(
      .padToMultiple(PadToMultiple(4)), #"{"multiple":4}"#, [2, 3, 5, 8], gives: [2, 3, 8, 8]),
    .init(
      .padToMultiple(PadToMultiple(Size(3, 4), .reflect)),
      #"{"mode":"reflect","multiple":[3,4]}"#, [1, 3, 4, 5], gives: [1, 3, 6, 8]),
    .init(
      .padToMultiple(PadToMultiple(8, .symmetric)), #"{"mode":"symmetric","multiple":8}"#,
      [1, 2, 4, 5], gives: [1, 2, 8, 8]),
    .init(
      .padToMultiple(PadToMultiple(8, .edge)), #"{"mode":"edge","multiple":8}"#, [1, 2, 1, 9],
      gives: [1, 2, 8, 16]),
    .init(
      .padToMultiple(PadToMultiple(4, .circular)), #"{"mode":"circular","multiple":4}"#,
      [1, 2, 3, 6], gives: [1, 2, 4, 8]),
    .init(.cropToSize(CropToSize()), "{}", [2, 3, 6, 8], [2, 1, 5, 8], gives: [2, 3, 5, 8]),
    .init(
      .cropToSize(CropToSize(scale: Ratio(2), axes: [.horizontal])),
      #"{"dimensions":[3],"scale":2}"#, [1, 3, 6, 8], [1, 1, 9, 3], gives: [1, 3, 6, 6]),
    .init(
      .cropToSize(CropToSize(scale: Ratio(3, 2))), #"{"scale":[3,2]}"#, [1, 3, 6, 8], [1, 1, 3, 5],
      gives: [1, 3, 4, 7]),
  ]
}

/// Rows and columns added until both are a multiple.
func naivePad(_ x: NaiveArray, _ pad: PadToMultiple) -> NaiveArray {
  var (rows, columns) = (0, 0)
  while !(x.shape[2] + rows).isMultiple(of: pad.multiple.height) { rows += 1 }
  while !(x.shape[3] + columns).isMultiple(of: pad.multiple.width) { columns += 1 }
  return naivePad(x, Pad(PaddingAmounts(0, 0, rows, columns), pad.mode))
}
