%% Erlang distribution in the remote-call benchmark: gen_server:call between two nodes, without a broker.
-module(remote_calls).
-behaviour(gen_server).
-export([answer/0, ask/5, init/1, handle_call/3, handle_cast/2]).

init(_) -> {ok, 0}.
handle_call(Value, _From, State) -> {reply, Value, State}.
handle_cast(_, State) -> {noreply, State}.

answer() ->
    {ok, _} = gen_server:start_link({local, echo}, ?MODULE, [], []),
    io:format("\"ready\"~n"),
    receive stop -> ok end.

ask(Node, InFlight, Bytes, WarmUpMs, MeasureMs) ->
    pong = connect(Node, 100),
    Value = binary:copy(<<"x">>, Bytes),
    Parent = self(),
    Workers = [spawn_link(fun() -> work(Parent, {echo, Node}, Value, 0, []) end) || _ <- lists:seq(1, InFlight)],
    timer:sleep(WarmUpMs),
    _ = collect(Workers),
    From = erlang:monotonic_time(microsecond),
    timer:sleep(MeasureMs),
    {Calls, Latencies} = collect(Workers),
    Us = erlang:monotonic_time(microsecond) - From,
    Sorted = lists:sort(Latencies),
    At = fun(Share) -> lists:nth(max(1, trunc(length(Sorted) * Share)), Sorted) / 1000 end,
    io:format("{\"perSecond\":~.1f,\"p50Us\":~.1f,\"p99Us\":~.1f}~n", [Calls * 1.0e6 / Us, At(0.5), At(0.99)]).

connect(_, 0) -> pang;
connect(Node, Tries) ->
    case net_adm:ping(Node) of
        pong -> pong;
        pang -> timer:sleep(50), connect(Node, Tries - 1)
    end.

collect(Workers) ->
    [Worker ! collect || Worker <- Workers],
    lists:foldl(
        fun(_, {Calls, Latencies}) -> receive {part, C, L} -> {Calls + C, L ++ Latencies} end end,
        {0, []}, Workers).

work(Parent, Server, Value, Calls, Latencies) ->
    receive collect -> Parent ! {part, Calls, Latencies}, work(Parent, Server, Value, 0, [])
    after 0 ->
        From = erlang:monotonic_time(nanosecond),
        Value = gen_server:call(Server, Value),
        Ns = erlang:monotonic_time(nanosecond) - From,
        Kept = if Calls < 1000 -> [Ns | Latencies]; true -> Latencies end,
        work(Parent, Server, Value, Calls + 1, Kept)
    end.
