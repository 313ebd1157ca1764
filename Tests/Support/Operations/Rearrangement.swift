internal import AviaryGraph

extension OperationRow {
  package static let rearrangement: [OperationRow] = [
    .init(
      .reshape(Reshape([0, 0, -1])), #"{"shape":[0,0,-1]}"#, [2, 3, 4, 5], gives: [2, 3, 20]),
    .init(
      .reshape(Reshape([0, -1, 2, 2, 5, 1])), #"{"shape":[0,-1,2,2,5,1]}"#, [2, 3, 4, 5],
      gives: [2, 3, 2, 2, 5, 1]),
    .init(
      .reshape(
        Reshape(dimensions: [
          .kept, .size(3), .input(2, times: Ratio(1, 2)), .size(2), .input(3, times: Ratio(1)),
          .rest,
        ])),
      #"{"shape":[0,3,{"dimension":2,"times":[1,2]},2,{"dimension":3},-1]}"#, [2, 3, 4, 5],
      gives: [2, 3, 2, 2, 5, 1]),
    .init(
      .reshape(
        Reshape(dimensions: [
          .kept, .rest, .other(2, times: Ratio(1)), .other(3, times: Ratio(2)),
        ])),
      #"{"shape":[0,-1,{"dimension":2,"input":1},{"dimension":3,"input":1,"times":2}]}"#,
      [2, 20, 6], [2, 1, 4, 3], gives: [2, 5, 4, 6]),
    .init(
      .permute(Permute([0, 2, 3, 1])), #"{"order":[0,2,3,1]}"#, [2, 3, 4, 5], gives: [2, 4, 5, 3]),
    .init(
      .roll(Roll(shifts: [-2, 3], dimensions: [2, 3])), #"{"dimensions":[2,3],"shifts":[-2,3]}"#,
      [2, 3, 4, 5], gives: [2, 3, 4, 5]),
  ]
}
