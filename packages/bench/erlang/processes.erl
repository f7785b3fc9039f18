%% The same work as processes-run.ts, on Erlang/OTP. Prints one line a figure: its name, a space, its value.
-module(processes).
-behaviour(gen_server).
-export([main/0, init/1, handle_call/3, handle_cast/2]).

-define(ROUNDS, 5).

main() ->
    logger:set_primary_config(level, none),
    {ok, Echo} = gen_server:start(?MODULE, [], []),
    rate(call_one_client, 300000, fun() -> calls(Echo, 300000) end),
    rate(call_64_clients, 640000, fun() -> clients(Echo, 64, 10000) end),
    rate(send, 1000000, fun() -> sends(1000000) end),
    rate(cast, 1000000, fun() -> casts(Echo, 1000000) end),
    rate(spawn_exit, 300000, fun() -> spawns(300000) end),
    rate(start_stop_down, 50000, fun() -> starts(50000) end),
    restarts(2000),
    idle(1000000),
    halt().

init([]) -> {ok, 0};
init(named) -> {ok, 0};
init(supervisor) ->
    Child = #{id => echo, start => {gen_server, start_link, [{local, echo}, ?MODULE, named, []]}},
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1}, [Child]}}.

handle_call(Value, _From, State) -> {reply, Value, State}.
handle_cast(_Value, State) -> {noreply, State + 1}.

rate(Name, Count, Work) ->
    Best = lists:min([elapsed(Work) || _ <- lists:seq(1, ?ROUNDS)]),
    print(Name, Count * 1.0e9 / Best).

elapsed(Work) ->
    erlang:garbage_collect(),
    From = erlang:monotonic_time(nanosecond),
    Work(),
    erlang:monotonic_time(nanosecond) - From.

print(Name, Value) -> io:format("~s ~.3f~n", [Name, Value * 1.0]).

calls(_, 0) -> ok;
calls(Echo, Count) ->
    x = gen_server:call(Echo, x, infinity),
    calls(Echo, Count - 1).

clients(Echo, Clients, Count) ->
    Self = self(),
    Pids = [spawn(fun() -> calls(Echo, Count), Self ! {done, self()} end) || _ <- lists:seq(1, Clients)],
    [receive {done, Pid} -> ok end || Pid <- Pids],
    ok.

%% In portions, as a mailbox of bounded length takes them: the sender waits for each.
sends(0) -> ok;
sends(Count) ->
    Self = self(),
    Counter = spawn(fun() -> counter(Self, 1000) end),
    portions(Counter, Count div 1000),
    exit(Counter, kill).

portions(_, 0) -> ok;
portions(Counter, Left) ->
    send(Counter, 1000),
    receive portion -> portions(Counter, Left - 1) end.

send(_, 0) -> ok;
send(Counter, Left) -> Counter ! {msg, Left}, send(Counter, Left - 1).

counter(Parent, 0) -> Parent ! portion, counter(Parent, 1000);
counter(Parent, Left) -> receive _ -> counter(Parent, Left - 1) end.

casts(Echo, Count) when Count =< 0 -> gen_server:call(Echo, x, infinity);
casts(Echo, Count) ->
    cast(Echo, 1000),
    gen_server:call(Echo, x, infinity),
    casts(Echo, Count - 1000).

cast(_, 0) -> ok;
cast(Echo, Left) -> gen_server:cast(Echo, Left), cast(Echo, Left - 1).

%% As many alive at a time as on the other side: 1,000, then their ends are waited for.
spawns(0) -> ok;
spawns(Count) ->
    Self = self(),
    last = spawned(Self, 999),
    spawns(Count - 1000).

spawned(Self, 0) ->
    spawn(fun() -> Self ! last end),
    receive last -> last end;
spawned(Self, Left) -> spawn(fun() -> ok end), spawned(Self, Left - 1).

starts(0) -> ok;
starts(Count) ->
    {ok, Pid} = gen_server:start(?MODULE, [], []),
    Ref = monitor(process, Pid),
    gen_server:stop(Pid),
    receive {'DOWN', Ref, _, _, _} -> ok end,
    starts(Count - 1).

restarts(Count) ->
    {ok, Supervisor} = gen_server_supervisor(),
    unlink(Supervisor),
    Samples = lists:sort([restart() || _ <- lists:seq(1, Count)]),
    print(restart_us, lists:nth(Count div 2, Samples) / 1000),
    exit(Supervisor, shutdown).

gen_server_supervisor() -> supervisor:start_link(?MODULE, supervisor).

restart() ->
    Pid = whereis(echo),
    From = erlang:monotonic_time(nanosecond),
    exit(Pid, kill),
    registered(Pid),
    erlang:monotonic_time(nanosecond) - From.

registered(Old) ->
    erlang:yield(),
    case whereis(echo) of
        undefined -> registered(Old);
        Old -> registered(Old);
        _ -> ok
    end.

idle(Count) ->
    erlang:garbage_collect(),
    Before = erlang:memory(total),
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, Count)],
    print(idle_bytes, (erlang:memory(total) - Before) / Count),
    [Pid ! stop || Pid <- Pids],
    ok.
